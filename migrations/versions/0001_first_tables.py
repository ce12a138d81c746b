"""First tables

Old code goes on running while this runs: add first, use later, drop last (see CONTRIBUTING.md).
"""

import sqlalchemy as sa
from alembic import op

from cphub.models.fulltext import create_fulltext, drop_fulltext
from cphub.models.types import MYSQL_TABLE, LongText, Name, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("name", Name(32), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
        **MYSQL_TABLE,
    )
    op.create_table(
        "parked_form",
        sa.Column("key", Name(64), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("fields", LongText, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_parked_form")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("parked_form", schema=None) as batch_op:
        batch_op.create_index("ix_parked_form_created_at", ["created_at"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("central_id", Name(32), nullable=True),
        sa.Column("name", Name(255), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("language", Name(16), nullable=True),
        sa.Column("time_zone", Name(64), nullable=True),
        sa.Column("mail", sa.String(length=254), nullable=True),
        sa.Column("mail_confirmed", sa.Boolean(), nullable=False),
        sa.Column("mail_wanted", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("signed_in_at", UTCDateTime(), nullable=True),
        sa.Column("signed_out_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("central_id", name=op.f("uq_person_central_id")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index("ix_person_name", ["name"], unique=False)

    op.create_table(
        "expert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("is_organisation", sa.Boolean(), nullable=False),
        sa.Column("organisation", sa.String(length=255), nullable=False),
        sa.Column("bio", LongText, nullable=False),
        sa.Column("country", Name(8), nullable=True),
        sa.Column("time_zone", Name(64), nullable=True),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("last_asked", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_expert_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expert")),
        sa.UniqueConstraint("person_id", name=op.f("uq_expert_person_id")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("expert", schema=None) as batch_op:
        batch_op.create_index("ix_expert_published", ["published", "id"], unique=False)

    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", Name(64), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=True),
        sa.Column("track", Name(16), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("language", Name(16), nullable=True),
        sa.Column("reply_languages", sa.JSON(), nullable=False),
        sa.Column("stage", Name(32), nullable=True),
        sa.Column("partner_type", Name(32), nullable=True),
        sa.Column("partner_name", sa.String(length=255), nullable=False),
        sa.Column("country", Name(8), nullable=True),
        sa.Column("community", sa.String(length=255), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("contact", sa.String(length=255), nullable=False),
        sa.Column("justification", sa.JSON(), nullable=False),
        sa.Column("visibility", Name(16), nullable=False),
        sa.Column("withhold_partner", sa.Boolean(), nullable=False),
        sa.Column("withhold_country", sa.Boolean(), nullable=False),
        sa.Column("withhold_name", sa.Boolean(), nullable=False),
        sa.Column("state", Name(16), nullable=False),
        sa.Column("waiting_on", Name(16), nullable=True),
        sa.Column("next_step", Name(32), nullable=True),
        sa.Column("next_step_text", sa.String(length=500), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("outcome", Name(32), nullable=True),
        sa.Column("outcome_detail", sa.String(length=500), nullable=False),
        sa.Column("duplicate_of_id", sa.Integer(), nullable=True),
        sa.Column("weight", Name(1), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("coordinator_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(waiting_on IS NULL) = (due_on IS NULL) AND (waiting_on IS NULL) = (next_step IS NULL) AND "
            "(waiting_on IS NOT NULL) = (state IN ('received', 'in_review', 'matching', 'in_progress', 'resolved'))",
            name=op.f("ck_request_held"),
        ),
        sa.ForeignKeyConstraint(["coordinator_id"], ["person.id"], name=op.f("fk_request_coordinator_id")),
        sa.ForeignKeyConstraint(["duplicate_of_id"], ["request.id"], name=op.f("fk_request_duplicate_of_id")),
        sa.ForeignKeyConstraint(["entered_by_id"], ["person.id"], name=op.f("fk_request_entered_by_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["person.id"], name=op.f("fk_request_lead_id")),
        sa.ForeignKeyConstraint(["requester_id"], ["person.id"], name=op.f("fk_request_requester_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("key", name=op.f("uq_request_key")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index("ix_request_coordinator", ["coordinator_id", "waiting_on", "due_on", "id"], unique=False)
        batch_op.create_index("ix_request_country", ["country", "updated_at", "id"], unique=False)
        batch_op.create_index("ix_request_due", ["due_on", "id"], unique=False)
        batch_op.create_index("ix_request_language", ["language", "updated_at", "id"], unique=False)
        batch_op.create_index("ix_request_lead", ["lead_id", "waiting_on", "due_on", "id"], unique=False)
        batch_op.create_index("ix_request_public", ["visibility", "updated_at", "id"], unique=False)
        batch_op.create_index("ix_request_requester", ["requester_id", "updated_at", "id"], unique=False)
        batch_op.create_index("ix_request_state", ["state", "updated_at", "id"], unique=False)
        batch_op.create_index("ix_request_updated", ["updated_at", "id"], unique=False)
        batch_op.create_index("ix_request_waiting", ["waiting_on", "due_on", "id"], unique=False)

    op.create_table(
        "role_grant",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", Name(16), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("granted_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["granted_by_id"], ["person.id"], name=op.f("fk_role_grant_granted_by_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_role_grant")),
        **MYSQL_TABLE,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("kind", Name(32), nullable=False),
        sa.Column("audience", Name(16), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_event_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_request", ["request_id", "id"], unique=False)

    op.create_table(
        "expert_conflict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["expert_id"], ["expert.id"], name=op.f("fk_expert_conflict_expert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expert_conflict")),
        **MYSQL_TABLE,
    )
    op.create_table(
        "expert_language",
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("language", Name(16), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["expert_id"], ["expert.id"], name=op.f("fk_expert_language_expert_id")),
        sa.PrimaryKeyConstraint("expert_id", "language", name=op.f("pk_expert_language")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("expert_language", schema=None) as batch_op:
        batch_op.create_index("ix_expert_language_language", ["language", "expert_id"], unique=False)

    op.create_table(
        "expert_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["expert_id"], ["expert.id"], name=op.f("fk_expert_link_expert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expert_link")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("expert_link", schema=None) as batch_op:
        batch_op.create_index("ix_expert_link_expert", ["expert_id"], unique=False)

    op.create_table(
        "expert_skill",
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("skill", Name(64), nullable=False),
        sa.Column("level", Name(8), nullable=False),
        sa.ForeignKeyConstraint(["expert_id"], ["expert.id"], name=op.f("fk_expert_skill_expert_id")),
        sa.PrimaryKeyConstraint("expert_id", "skill", name=op.f("pk_expert_skill")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("expert_skill", schema=None) as batch_op:
        batch_op.create_index("ix_expert_skill_skill", ["skill", "expert_id"], unique=False)

    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("state", Name(16), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("sent_by_id", sa.Integer(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("reason", Name(16), nullable=True),
        sa.Column("reason_text", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["expert_id"], ["expert.id"], name=op.f("fk_offer_expert_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_offer_person_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_offer_request_id")),
        sa.ForeignKeyConstraint(["sent_by_id"], ["person.id"], name=op.f("fk_offer_sent_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index("ix_offer_expires", ["state", "expires_at"], unique=False)
        batch_op.create_index("ix_offer_person", ["person_id", "state", "request_id"], unique=False)
        batch_op.create_index("ix_offer_request", ["request_id", "state"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", Name(32), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("dedupe_key", Name(128), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("state", Name(8), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", UTCDateTime(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_outbox_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_due", ["state", "due_at", "id"], unique=False)

    op.create_table(
        "reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", Name(64), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("audience", Name(16), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("edited_at", UTCDateTime(), nullable=True),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_reply_author_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_reply_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("key", name=op.f("uq_reply_key")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.create_index("ix_reply_author", ["author_id", "written_at"], unique=False)
        batch_op.create_index("ix_reply_request", ["request_id", "id"], unique=False)

    op.create_table(
        "request_kind",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("kind", Name(32), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_kind_request_id")),
        sa.PrimaryKeyConstraint("request_id", "kind", name=op.f("pk_request_kind")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("request_kind", schema=None) as batch_op:
        batch_op.create_index("ix_request_kind_kind", ["kind", "request_id"], unique=False)

    op.create_table(
        "request_search",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("open_tokens", LongText, nullable=False),
        sa.Column("all_tokens", LongText, nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_search_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_request_search")),
        mysql_charset="ascii",
        mysql_collate="ascii_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "request_skill",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("skill", Name(64), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_skill_request_id")),
        sa.PrimaryKeyConstraint("request_id", "skill", name=op.f("pk_request_skill")),
        **MYSQL_TABLE,
    )
    op.create_table(
        "task_link",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("phid", Name(64), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("status", Name(32), nullable=False),
        sa.Column("status_name", sa.String(length=64), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("made_here", sa.Boolean(), nullable=False),
        sa.Column("linked_by_id", sa.Integer(), nullable=True),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["linked_by_id"], ["person.id"], name=op.f("fk_task_link_linked_by_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_task_link_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_task_link")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("task_link", schema=None) as batch_op:
        batch_op.create_index("ix_task_link_number", ["number"], unique=False)

    op.create_table(
        "team_member",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", Name(16), nullable=False),
        sa.Column("joined_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_team_member_person_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_team_member_request_id")),
        sa.PrimaryKeyConstraint("request_id", "person_id", name=op.f("pk_team_member")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("team_member", schema=None) as batch_op:
        batch_op.create_index("ix_team_member_person", ["person_id", "request_id"], unique=False)

    op.create_table(
        "watch",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_watch_person_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_watch_request_id")),
        sa.PrimaryKeyConstraint("request_id", "person_id", name=op.f("pk_watch")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.create_index("ix_watch_person", ["person_id"], unique=False)

    op.create_table(
        "inbox_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("reason", Name(16), nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_inbox_item_event_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_inbox_item_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_item")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("inbox_item", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_item_person", ["person_id", "id"], unique=False)
        batch_op.create_index("ix_inbox_item_unread", ["person_id", "read_at", "id"], unique=False)

    op.create_table(
        "reply_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reply_id", sa.Integer(), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_reply_version_reply_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_version")),
        **MYSQL_TABLE,
    )
    with op.batch_alter_table("reply_version", schema=None) as batch_op:
        batch_op.create_index("ix_reply_version_reply", ["reply_id", "id"], unique=False)

    if op.get_bind().dialect.name == "mysql":
        for column in ("open_tokens", "all_tokens"):
            op.create_index(
                f"ft_request_search_{column.split('_')[0]}", "request_search", [column], mysql_prefix="FULLTEXT"
            )
    create_fulltext(op.get_bind())


def downgrade() -> None:
    drop_fulltext(op.get_bind())
    op.drop_table("reply_version")
    op.drop_table("inbox_item")
    op.drop_table("watch")
    op.drop_table("team_member")
    op.drop_table("task_link")
    op.drop_table("request_skill")
    op.drop_table("request_search")
    op.drop_table("request_kind")
    op.drop_table("reply")
    op.drop_table("outbox")
    op.drop_table("offer")
    op.drop_table("expert_skill")
    op.drop_table("expert_link")
    op.drop_table("expert_language")
    op.drop_table("expert_conflict")
    op.drop_table("event")
    op.drop_table("role_grant")
    op.drop_table("request")
    op.drop_table("expert")
    op.drop_table("person")
    op.drop_table("parked_form")
    op.drop_table("heartbeat")

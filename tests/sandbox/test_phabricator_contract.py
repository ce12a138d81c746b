"""The small Phabricator answers as the real one did: every recording is replayed, or listed with a reason."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cphub.sandbox.phabricator import Fault, PhabricatorSandbox
from cphub.sandbox.phabricator.remarkup import mentioned_tasks, mentioned_users
from tests import phabricator_recordings as world
from tests.phabricator_recordings import recordings
from tests.phabricator_replay import Bench, Replay, Step, changed, milestone_column

WEBHOOKS = "about webhooks, which the sandbox does not send; its call is only a place holder"
LEGACY = "a frozen method, which nothing here calls"
NOT_REPLAYED = {
    "feed_query.json": LEGACY,
    "legacy_gettasktransactions.json": LEGACY,
    "legacy_maniphest_createtask.json": LEGACY,
    "legacy_maniphest_info.json": LEGACY,
    "file_upload_and_embed.json": "files are not part of the sandbox",
    "latency_1k.json": "figures of a busy server, no calls",
    "latency_20k.json": "figures of a busy server, no calls",
    "remarkup_defusing.json": "HTML of remarkup is not part of the sandbox; who is called is tested below",
    "remarkup_mentions.json": "HTML of remarkup is not part of the sandbox; who is called is tested below",
    "text_very_long.json": "the limits of nginx and PHP are not part of the sandbox",
    "webhook_answer_302.json": WEBHOOKS,
    "webhook_answer_404.json": WEBHOOKS,
    "webhook_answer_500.json": WEBHOOKS,
    "webhook_answer_drop.json": WEBHOOKS,
    "webhook_answer_hang.json": WEBHOOKS,
    "webhook_error_backoff.json": WEBHOOKS,
    "webhook_other_object_type.json": WEBHOOKS,
}
# Side calls within a replayed recording to methods that are not spoken.
SKIPPED = {
    ("parents_read_back.json", "edge.search"),
    ("perm_project_restricted.json", "project.edit"),
    ("perm_view_restricted.json", "phid.lookup"),
    ("perm_view_restricted.json", "phid.query"),
}
ON_BOARD = {"projects": [world.HELPDESK]}
UNASSIGNED = {"status": "open", "owner": None}
SEEDS: dict[str, dict[int, dict[str, Any]]] = {
    "create_client_disconnects.json": {41: {}},
    "create_parent_cycle.json": {4: {"parents": ["PHID-TASK-e5cflslcdrddbod7qb3t"]}},
    "edit_close_assigned.json": {4: {**UNASSIGNED, "title": "before"}},
    "edit_close_unassigned_claims.json": {4: UNASSIGNED},
    "edit_close_unassigned_keep_unassigned.json": {4: UNASSIGNED},
    "edit_column_hidden.json": {4: ON_BOARD},
    "edit_column_milestone.json": {4: {"projects": [world.HELPDESK, world.TOOLFORGE]}},
    "edit_column_move.json": {4: {"columns": {world.HELPDESK: "PHID-PCOL-knh2vqqzdtuwiirbhbis"}}},
    "edit_column_same.json": {4: {"projects": [], "columns": {}}},
    "edit_column_task_not_on_board.json": {2: {"projects": [], "columns": {}}},
    "edit_description_clear.json": {90: {"description": "cphub-ref deadbeef1234"}},
    "edit_owner_set_and_clear.json": {4: {"owner": world.ALICE}},
    "edit_partial_failure_is_atomic.json": {4: {"title": "earlier"}},
    "edit_reopen.json": {4: {"status": "resolved"}},
    "edit_status_resolved_with_comment.json": {4: {"status": "progress", "owner": world.ALICE}},
    "edit_status_unknown.json": {4: {"status": "resolved", "owner": world.BOT}},
    "parents_read_back.json": {92: {"parents": ["PHID-TASK-l4a5d76komymqz7gemam"]}},
    "perm_view_restricted.json": {22: {"phid": "PHID-TASK-b33uagtoqollcrx4h3iq", "view": world.ALICE}},
    "search_bad_cursor.json": {1: {}},
    "search_by_assigned.json": {1: {}},
    "search_by_author_created.json": {17: {}, 25: {"author": world.ALICE}, 26: {"created": 1}},
    "search_by_columns.json": {
        2: {**ON_BOARD, "columns": {world.HELPDESK: "PHID-PCOL-knh2vqqzdtuwiirbhbis"}},
        3: ON_BOARD,
    },
    "search_by_project.json": {13: ON_BOARD, 5: ON_BOARD, 2: ON_BOARD, 24: {}},
    "search_by_project_slug.json": {13: ON_BOARD, 5: ON_BOARD, 24: {}},
    "search_by_status.json": {13: ON_BOARD, 5: ON_BOARD, 14: {**ON_BOARD, "status": "stalled"}},
    "search_paging.json": {7: {}},
    "search_query_fulltext.json": {90: {"title": "not indexed yet", "description": ""}},
    "transport_params_json_edit.json": {4: {"owner": world.ALICE}},
    "webhook_column_move.json": {82: ON_BOARD},
    "webhook_hidden_task.json": {5000: {"phid": "PHID-TASK-yle2bgpunyhvzncf2k7o", "view": world.ALICE}},
    "webhook_no_effect.json": {82: {"title": "hooked"}},
}


def hide_restricted_project(app: PhabricatorSandbox) -> None:
    app.install.projects[world.RESTRICTED].view = world.ALICE


def edit_comment(app: PhabricatorSandbox) -> None:
    app.install.add_version(app.install.transactions[-1], "version two")


def remove_comment(app: PhabricatorSandbox) -> None:
    app.install.add_version(app.install.transactions[-1], "", removed=True)


def read_only(on: bool) -> Step:
    return lambda app: setattr(app.install, "read_only", on)


def fault(kind: Fault) -> Step:
    return lambda app: app.faults.add(kind)


def hide_all(app: PhabricatorSandbox) -> None:
    for task in app.install.tasks.values():
        task.view = world.ALICE


# What somebody did, or what happened to the server, before a call (file, index from 0).
STEPS: dict[tuple[str, int], Step] = {
    ("comment_edited_then_removed.json", 1): edit_comment,
    ("comment_edited_then_removed.json", 2): remove_comment,
    ("edit_column_milestone.json", 0): milestone_column,
    ("perm_project_restricted.json", 1): hide_restricted_project,
    ("search_paging_cursor_trap.json", 1): changed(37, modified=1795248456),
    ("search_paging_cursor_trap.json", 2): changed(37, view=world.ALICE),
    ("search_query_fulltext.json", 1): changed(90, title="fulltext zebra needle", description="cphub-ref deadbeef1234"),
    ("server_database_down.json", 0): fault(Fault.FATAL_AFTER),
    ("server_database_down.json", 1): fault(Fault.FATAL_AFTER),
    ("server_php_down.json", 0): fault(Fault.BAD_GATEWAY),
    ("server_rate_limited.json", 0): fault(Fault.RATE_LIMITED),
    ("server_rate_limited.json", 1): fault(Fault.RATE_LIMITED),
    ("server_read_only.json", 0): read_only(True),
    ("transactions_feed_cursor_hidden.json", 1): hide_all,
}


@pytest.mark.parametrize("name", sorted(set(recordings()) - set(NOT_REPLAYED)))
def test_sandbox_answers_as_recorded(name: str) -> None:
    recording = recordings()[name]
    replay = Replay(recording, SEEDS.get(name, {}))
    for index, exchange in enumerate(recording.exchanges):
        if (name, exchange.method) in SKIPPED:
            continue
        if step := STEPS.get((name, index)):
            step(replay.app)
        answer = replay.call(exchange)
        if exchange.answer is None:
            assert answer is None
        else:
            replay.compare(exchange.answer, answer, exchange.method)


def test_every_recording_is_replayed_or_has_a_reason_not_to_be() -> None:
    assert set(NOT_REPLAYED) <= set(recordings())
    assert all(recordings()[name].exchanges for name in set(recordings()) - set(NOT_REPLAYED))


# What was measured beside the calls


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_who_is_called_by_a_text_is_as_measured() -> None:
    for form in recordings()["remarkup_mentions.json"].measured:
        text = form["text_sent"]
        assert bool(mentioned_users(text)) is form["alice_subscribed_and_notified"], form
        assert bool(mentioned_tasks(text.replace("@alice", "T1"))) is form["mention_written_on_T_target"], form


def test_nothing_in_a_fence_calls_anybody() -> None:
    ways = {way["way"]: way for way in recordings()["remarkup_defusing.json"].measured}
    for line in ways["as it is"]["single_lines_that_get_through"]:
        assert mentioned_users(line) == ["alice"], line
        assert mentioned_users(f"```lang=text\n{line}\n```") == []
    assert mentioned_users("```\na\n```\n@alice\n```") == ["alice"]


def test_text_comes_back_byte_for_byte(bench: Bench) -> None:
    for sample in recordings()["text_round_trip.json"].measured:
        task = bench.create("T", description=sample["sent"])
        bench.edit(task, comment=sample["sent"])
        assert bench.task(task)["fields"]["description"]["raw"] == sample["read_back"]
        assert bench.history(task)[0]["comments"][0]["content"]["raw"] == sample["comment_read_back"]


def test_date_modified_rises_with_the_changes_measured(bench: Bench) -> None:
    task, other = bench.create("T", **{"projects.set": [world.HELPDESK]}), bench.create("other")
    comment = bench.edit(task, comment="C")
    changes: dict[str, Callable[[], object]] = {
        "title": lambda: bench.edit(task, title="x2"),
        "description": lambda: bench.edit(task, description="x2"),
        "status": lambda: bench.edit(task, status="stalled"),
        "priority": lambda: bench.edit(task, priority="low"),
        "owner": lambda: bench.edit(task, owner=world.BOB),
        "comment": lambda: bench.edit(task, comment="again"),
        "column move": lambda: bench.edit(task, column=["PHID-PCOL-knh2vqqzdtuwiirbhbis"]),
        "project added": lambda: bench.edit(task, **{"projects.add": [world.TOOLFORGE]}),
        "project removed": lambda: bench.edit(task, **{"projects.remove": [world.TOOLFORGE]}),
        "subscriber added": lambda: bench.edit(task, **{"subscribers.add": [world.ADMIN]}),
        "subscriber removed": lambda: bench.edit(task, **{"subscribers.remove": [world.ADMIN]}),
        "parent added (edit on this task)": lambda: bench.edit(task, **{"parents.add": [other]}),
        "subtask added (edit on the OTHER task)": lambda: bench.edit(bench.create("child"), **{"parents.add": [task]}),
        "mentioned from another task": lambda: bench.edit(other, comment="see T1"),
        "same value again (no effect)": lambda: bench.edit(task, title="x2"),
        "policy change": lambda: bench.edit(task, view="public"),
        "comment edited by its author (web)": lambda: bench.new_version(comment[-1], "D"),
        "comment removed by its author (web)": lambda: bench.new_version(comment[-1], "", removed=True),
        "status duplicate": lambda: bench.edit(task, status="duplicate"),
    }
    measured = recordings()["date_modified_matrix.json"].measured
    assert [one["change"] for one in measured] == list(changes)
    for one in measured:
        before = bench.task(task)["fields"]["dateModified"]
        changes[one["change"]]()
        raised = bench.task(task)["fields"]["dateModified"] > before
        assert raised is one["bumps_dateModified"], one


def test_many_writers_at_once_lose_nothing(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        phids = list(pool.map(bench.create, [f"task {number}" for number in range(80)]))
    tasks = [bench.install.tasks[phid] for phid in phids]
    assert sorted(task.number for task in tasks) == list(range(1, 81))
    ids = [one.id for one in bench.install.transactions]
    assert ids == list(range(1, len(ids) + 1))

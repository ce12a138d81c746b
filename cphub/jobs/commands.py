"""The command line: ``flask --app app worker | roles | demo``."""

import click
from flask import Flask
from flask.cli import AppGroup

from cphub.domain.policy import Role
from cphub.errors import NotFound
from cphub.jobs import demo, worker
from cphub.services import people

roles = AppGroup("roles", help="Who may do what in the hub.")


@roles.command("grant")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]), metavar="ROLE")
def grant(name: str, role: str) -> None:
    """Give ROLE (coordinator, committee or admin) to the account NAME, which must have signed in before."""
    try:
        person = people.appoint(name, Role(role))
    except NotFound:
        raise click.ClickException(f"Nobody called “{people.tidy(name)}” has signed in yet.") from None
    click.echo(f"{person.name} is now {role}.")


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due and end.")
def run_worker(once: bool) -> None:
    """Deliver what waits in the outbox, and do what is due by time."""
    worker.run(once=once)


def init_app(app: Flask) -> None:
    """Add the commands to the app."""
    app.cli.add_command(roles)
    app.cli.add_command(run_worker)
    app.cli.add_command(demo.group)

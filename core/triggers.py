"""Rules that the database itself keeps, shared by the models of every app (DESIGN 4)."""

import pgtrigger


def append_only() -> list[pgtrigger.Trigger]:
    """Triggers for a table whose rows are only ever added: UPDATE, DELETE and TRUNCATE are refused."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        no_truncate(),
    ]


def no_delete() -> list[pgtrigger.Trigger]:
    """Triggers for a table whose rows may change but never go."""
    return [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete), no_truncate()]


def no_truncate() -> pgtrigger.Trigger:
    """A trigger that refuses TRUNCATE."""
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        operation=pgtrigger.Truncate,
        when=pgtrigger.Before,
        func=pgtrigger.Func("RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;"),
    )


def once_set(*fields: str, name: str = "once_set") -> pgtrigger.Trigger:
    """A trigger that refuses to change any of `fields` (column names) once it is not null."""
    changed = " OR ".join(f'(OLD."{f}" IS NOT NULL AND NEW."{f}" IS DISTINCT FROM OLD."{f}")' for f in fields)
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        func=pgtrigger.Func(
            f"IF {changed} THEN RAISE EXCEPTION 'pgtrigger: {', '.join(fields)} can not change once set "
            "in table %', TG_TABLE_NAME; END IF; RETURN NEW;"
        ),
    )


def frozen(*fields: str, name: str = "frozen") -> pgtrigger.Trigger:
    """A trigger that refuses to change any of `fields` (column names) at all."""
    changed = " OR ".join(f'NEW."{f}" IS DISTINCT FROM OLD."{f}"' for f in fields)
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        func=pgtrigger.Func(
            f"IF {changed} THEN RAISE EXCEPTION 'pgtrigger: {', '.join(fields)} can not change "
            "in table %', TG_TABLE_NAME; END IF; RETURN NEW;"
        ),
    )


def legal_transitions(
    table: dict[str, frozenset[str]], *, field: str = "state", version: str | None = "version"
) -> list[pgtrigger.Trigger]:
    """Triggers that hold `field` to the moves in `table`, and `version` to one more at every change."""
    moves = ", ".join(f"('{old}', '{new}')" for old, news in sorted(table.items()) for new in sorted(news))
    body = (
        f'IF NEW."{field}" IS DISTINCT FROM OLD."{field}" AND (OLD."{field}", NEW."{field}") NOT IN ({moves}) '
        f"THEN RAISE EXCEPTION 'pgtrigger: illegal transition from % to % in table %', "
        f'OLD."{field}", NEW."{field}", TG_TABLE_NAME; END IF; '
    )
    if version is not None:
        body += (
            f'IF NEW."{version}" <> OLD."{version}" + 1 THEN RAISE EXCEPTION '
            "'pgtrigger: version must grow by one in table %', TG_TABLE_NAME; END IF; "
        )
    return [
        pgtrigger.Trigger(
            name="legal_transitions",
            operation=pgtrigger.Update,
            when=pgtrigger.Before,
            func=pgtrigger.Func(body + "RETURN NEW;"),
        )
    ]

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


def refers_to(*references: tuple[str, str]) -> list[pgtrigger.Trigger]:
    """A trigger that does what foreign keys do, for a table that takes millions of rows in one statement.

    A reference is a column's name and the table whose `id` it holds. A foreign key looks a row up and locks it for each
    row that is inserted: measured, nearly as long as the insert with three indexes takes. This looks once for each
    statement, by sets. It is as good as a foreign key only where the referring table is append-only and the table that
    is referred to never loses a row or changes an id (`no_delete`, `frozen("id")`).
    """
    found = " AND ".join(f'EXISTS (SELECT FROM {table} r WHERE r.id = a."{column}")' for column, table in references)
    names = ", ".join(column for column, _ in references)
    columns = ", ".join(f'"{column}"' for column, _ in references)
    return [
        pgtrigger.Trigger(
            name="refers_to",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="added"),
            func=pgtrigger.Func(
                f"IF EXISTS (SELECT FROM (SELECT DISTINCT {columns} FROM added) a WHERE NOT ({found})) THEN "  # noqa: S608
                f"RAISE EXCEPTION 'pgtrigger: one of {names} in table % refers to nothing', TG_TABLE_NAME "
                "USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL;"
            ),
        )
    ]


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

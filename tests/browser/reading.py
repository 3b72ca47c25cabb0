"""What a page says to people, and whether it says it in the language that they chose."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from zoneinfo import available_timezones

from django.apps import apps
from django.db import connection, models

# Text as it is read or read out; not what is marked as another language's (`lang`) or as nobody's (`translate="no"`).
SAID = """() => {
  const language = document.documentElement.lang;
  const passed = each => each.closest('script, style, code, .mono, [translate=no]')
    || each.closest('[lang]').lang !== language;
  const said = [document.title];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) if (!passed(texts.currentNode.parentElement)) said.push(texts.currentNode.data);
  for (const name of ['placeholder', 'title', 'aria-label', 'alt', 'data-label', 'aria-description'])
    for (const each of document.querySelectorAll(`[${name}]`)) if (!passed(each)) said.push(each.getAttribute(name));
  for (const each of document.querySelectorAll('input[type=submit], input[type=button]')) said.push(each.value);
  return said.map(each => each.trim()).filter(Boolean);
}"""

# No words: addresses, codes and numbers, file endings, time zones, all capitals (CNY, ERP, DE), ranges of letters.
NOT_WORDS = re.compile(
    r"<[^>]*>|https?://\S+|\S+@\S+|[\w./:-]*\d[\w./:%-]*|(?<![A-Za-z])[A-Z]+(?![A-Za-z])"
    r"|(?<!\w)\.(?:csv|csv\.gz|xlsx)(?!\w)|(?<!\w)a-z(?!\w)"
    rf"|(?<!\w)(?:{'|'.join(map(re.escape, sorted(available_timezones())))})(?!\w)"
)
LATIN = re.compile(r"[A-Za-zÀ-ſ][A-Za-zÀ-ſ'’.&-]*(?: +[A-Za-zÀ-ſ&][A-Za-zÀ-ſ'’.&-]*)*")
HAN = re.compile(r"[\u4e00-\u9fff][\u4e00-\u9fff，、。；：（）]*")
# Names that are the same in every language; a language's own name among them.
NAMES = {"Chrome", "Dingyao", "English", "JavaScript", "Linux", "WeChat", "简体中文"}


def leftovers(said: Iterable[str], *, language: str, stored: str, known: Collection[str] = ()) -> list[str]:
    """What a page says in the wrong language. `stored`: what people and feeds have entered, in whatever language."""
    found = set()
    for text in said:
        for run in _runs(text, language):
            if run not in NAMES and run not in known and run not in stored:
                found.add(run)
    return sorted(found)


def _runs(text: str, language: str) -> Iterator[str]:
    if language == "zh-hans":
        found = (run.strip(" .-'’&") for run in LATIN.findall(NOT_WORDS.sub(" · ", text)))
        yield from (run for run in found if len(run) > 1)
    else:
        yield from HAN.findall(text)


def stored_texts() -> str:
    """Every text in the rows that pages show: names, labels, reasons. Neither codes of states nor what was logged."""
    wanted = (models.CharField, models.TextField)
    found: set[str] = set()
    with connection.cursor() as cursor:
        for floor in ("core", "partners", "merchants", "incentives", "governance"):
            for model in apps.get_app_config(floor).get_models():
                if model.__name__ in {"AuditEvent", "Notice", "Settlement", "StockObservation"}:
                    continue
                for field in model._meta.concrete_fields:
                    if isinstance(field, wanted) and field.column and not field.choices:
                        column = connection.ops.quote_name(field.column)
                        table = connection.ops.quote_name(model._meta.db_table)
                        cursor.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''")  # noqa: S608
                        found.update(str(value) for (value,) in cursor.fetchall())
    return "\n".join(sorted(found))


def read(page: Any) -> list[str]:
    """What the browser's page says."""
    said: list[str] = page.evaluate(SAID)
    return said

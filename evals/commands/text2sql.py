"""`bunmyaku eval text2sql`: how often a draft gives the rows that the gold gives, and what the drafter knows of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.settings import ModelSettings
from app.settings import load as load_settings
from evals.drafting.building import checked_model
from evals.drafting.runs import Options, Outputs, run_drafter, run_predictions
from evals.errors import EvalError
from evals.suites.databases import load


class EngineName(StrEnum):
    """The engines that a set may come for."""

    sqlite = "sqlite"
    postgres = "postgres"


class DrafterName(StrEnum):
    """Where the drafts come from."""

    offline = "offline"
    model = "model"
    replay = "replay"


def command(  # noqa: PLR0913, PLR0917 - one parameter an option: that is how typer reads them
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR [FILE]…", help="The set; further files of predictions.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Where the report goes (JSON).")] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="Other questions of the same databases.")
    ] = None,
    drafter: Annotated[DrafterName | None, typer.Option("--drafter", help="Whose drafts.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="provider:name or replay:FILE, instead of the settings'.")
    ] = None,
    predictions: Annotated[
        list[Path] | None, typer.Option("--predictions", help="A system's predictions (JSON Lines); repeat.")
    ] = None,
    vote: Annotated[
        bool, typer.Option("--vote", help="Also the draft that most of them agree with.")
    ] = False,
    instance: Annotated[int, typer.Option("--instance", min=0, help="A copy with resampled rows.")] = 0,
    wrong_db: Annotated[bool, typer.Option("--wrong-db", help="Ask another database instead.")] = False,
    engine: Annotated[EngineName | None, typer.Option("--engine", help="Where a set has both.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions.")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="For one query.")] = 10.0,
    today: Annotated[
        datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="What the drafter calls today.")
    ] = None,
    timings: Annotated[Path | None, typer.Option("--timings", help="A file of their own for times.")] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help="A report a system, for `eval compare`.")
    ] = None,
) -> None:
    """Draft every question of a set, run the drafts under the guard, compare their rows with the gold's."""
    folder, files = _sorted_out(paths, predictions)
    replaying = drafter is DrafterName.replay or (drafter is None and bool(files))
    if files and not replaying:
        raise EvalError("Predictions are replayed", where="--drafter", todo="Leave it out, or say `replay`.")
    if replaying and wrong_db:
        raise EvalError("Predictions cannot be asked of another database", where="--wrong-db")
    if out is None and out_dir is None:
        raise EvalError("Nowhere to write the report", where="--out", todo="Give --out FILE.")
    suite = load(folder, questions, engine.value if engine else None, limit)
    options = Options(
        jobs=jobs,
        instance=instance,
        wrong_db=wrong_db,
        vote=vote,
        seconds=seconds,
        today=today,
        limit=limit,
        model=_model(model) if drafter is DrafterName.model else None,
    )
    outputs = Outputs(out, timings, out_dir)
    if replaying:
        run_predictions(suite, files, options, outputs)
    else:
        run_drafter(suite, drafter.value if drafter else "offline", options, outputs)


def _model(name: str | None) -> ModelSettings:
    """The chat model of the settings, or the one named: with the settings' options where it is the same one."""
    settings = load_settings()
    configured = settings.model
    if name is None or name == configured.name:
        return checked_model(configured, settings.home)
    return checked_model(ModelSettings(name=name), settings.home)


def _sorted_out(paths: list[Path], predictions: list[Path] | None) -> tuple[Path, list[Path]]:
    """The one folder among the arguments; with `--predictions`, files beside it are more of them (`*.jsonl`)."""
    folders = [path for path in paths if path.is_dir()]
    rest = [path for path in paths if path not in folders]
    if not folders and len(paths) == 1:
        return paths[0], predictions or []  # `load` says what is wrong with it
    if len(folders) != 1 or (rest and not predictions):
        raise EvalError(
            "One folder is evaluated at a time",
            where=" ".join(path.name for path in paths),
            todo="Give the folder of one set; files of predictions go with --predictions.",
        )
    return folders[0], [*(predictions or []), *rest]

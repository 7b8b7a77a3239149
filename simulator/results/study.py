"""What every kind of study result has: provenance, tables, files, pictures."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from simulator.results import files, netcdf
from simulator.results.arrays import Groups, dataset
from simulator.results.errors import NoStudyError, ResultError
from simulator.results.files import Writer, check_there, sealed_text, text_writer
from simulator.results.kinds import Kind, imported
from simulator.tables.files import csv_text

if TYPE_CHECKING:
    import pandas
    import xarray

DRAWN = "simulator.report.options:drawn"
SCENARIO, SUMMARY = "scenario.resolved.yaml", "summary.csv"


class StudyResult(ABC):
    """The result of a study: a run, a trial, a sweep, a sensitivity analysis.

    A kind of result has a row in `simulator.results.kinds` and a class that says how it is written, read and
    tabulated. The rest is here and is the same for all.

    Attributes
    ----------
    kind : Kind
        Its row in the registry.
    title, scenario_name, scenario, scenario_sha256, engine_version : str
        What was run: `scenario` is the complete YAML.
    seed : int
        Seed of the random numbers.
    arguments : dict
        What the study was called with, as far as its numbers depend on it; a replay calls it with the same.
    file_sha256 : str
        Checksum of the file that it was opened from, or that it was written to in a folder; empty without a file.
        Files that are made from it carry this.
    """

    kind: ClassVar[Kind]
    file_sha256 = ""
    table_file: ClassVar[str] = SUMMARY

    if TYPE_CHECKING:
        title: str
        seed: int
        scenario: str
        scenario_name: str
        scenario_sha256: str
        engine_version: str
        arguments: dict[str, Any]

    @cached_property
    def plot(self) -> Any:
        """Its pictures: `result.plot.kinds` lists them, `result.plot.draw("survival").save("a.svg")` draws one."""
        return _Drawing(self)

    @property
    @abstractmethod
    def data(self) -> Any:
        """Everything as xarray objects."""

    @abstractmethod
    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """The heads and the rows of its table, as `summary.csv` has them.

        Returns
        -------
        tuple
            Heads; rows in their order.
        """

    def summary(self) -> pandas.DataFrame:
        """Its table as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each row of `table`.
        """
        import pandas

        heads, rows = self.table()
        return pandas.DataFrame([tuple(row) for row in rows], columns=list(heads))

    @abstractmethod
    def writer(self) -> Writer:
        """A writer of its one file, which has a checksum inside.

        Returns
        -------
        callable
            It writes to a path.
        """

    @classmethod
    @abstractmethod
    def read(cls, path: Path) -> Self:
        """Read what `writer` wrote.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        StudyResult
            Of this class.
        """

    def save(self, path: str | Path) -> None:
        """Write one file, atomically; `simulator.open` reads it.

        Parameters
        ----------
        path : str or Path
            The file; folders above it are made.

        Raises
        ------
        ResultError
            It cannot be written.
        """
        files.save(Path(path), self.writer(), self.kind)

    def note_file(self, digest: str) -> None:
        """Note the checksum of its file, for files that are made from it.

        Parameters
        ----------
        digest : str
            The sha256, in hexadecimal.
        """
        object.__setattr__(self, "file_sha256", digest)  # some kinds are frozen

    def files(self) -> list[tuple[str, Writer]]:
        """The files of its folder, apart from the manifest.

        Returns
        -------
        list of (str, callable)
            Name and writer of each.
        """
        return [
            (self.kind.file, self.writer()),
            (self.table_file, text_writer(csv_text(*self.table()))),
            (SCENARIO, text_writer(self.scenario)),
        ]

    def provenance(self) -> dict[str, Any]:
        """What the manifest says of it: the same study gives the same words, without a time, a user or a machine.

        Returns
        -------
        dict
            Plain data, for JSON.
        """
        return {
            "title": self.title,
            "scenario_name": self.scenario_name,
            "scenario_sha256": self.scenario_sha256,
            "seed": self.seed,
            "arguments": self.arguments,
            "engine_version": self.engine_version,
            **data_files(self.scenario),
        }


def data_files(scenario: str) -> dict[str, Any]:
    """Under `data`: the files of participants behind a resolved scenario, with their checksums; nothing without."""
    if not re.search(r"^  data:$", scenario, re.M):
        return {}
    from ruamel.yaml import YAML

    data = (YAML(typ="safe").load(scenario).get("entry") or {}).get("data") or {}
    return {"data": dict(zip(data.get("read") or [], data.get("sha256") or [], strict=True))} if data else {}


class _Drawing:
    """The pictures of a study; all take `arms`, `days`, `width` and `theme`."""

    def __init__(self, study: StudyResult) -> None:
        self._study, self._plots = study, imported(study.kind.plots)(study)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._plots, name)
        if not callable(found):
            return found

        @wraps(found)
        def draw(*args: Any, **options: Any) -> Any:
            return imported(DRAWN)(self._study, name, args, options)

        draw.__signature__ = _with_common(signature(found))  # type: ignore[attr-defined]  # what a notebook shows
        return draw

    def __dir__(self) -> list[str]:
        return dir(self._plots)


def _with_common(own: Signature) -> Signature:
    """The signature of a picture with the options that all take."""
    given = {"arms": None, "days": None, "width": 7.2, "theme": "light"}
    common = [Parameter(name, Parameter.KEYWORD_ONLY, default=value) for name, value in given.items()]
    keyed = [one for one in own.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    rest = [one for one in own.parameters.values() if one.kind is Parameter.VAR_KEYWORD]
    return own.replace(parameters=[*keyed, *(one for one in common if one.name not in own.parameters), *rest])


class DocumentResult(StudyResult):
    """A study result that is one JSON document, with a checksum of the rest in it."""

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """As plain data.

        Returns
        -------
        dict
            What the document holds, `format` among it, without its checksum.
        """

    @classmethod
    @abstractmethod
    def from_content(cls, content: dict[str, Any]) -> Self:
        """The result behind a document that was checked.

        Parameters
        ----------
        content : dict
            What `content` gave, without `format`.

        Returns
        -------
        DocumentResult
            Of this class.
        """

    def writer(self) -> Writer:
        """A writer of the JSON document.

        Returns
        -------
        callable
            It writes to a path.
        """
        return text_writer(sealed_text(self.content()))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the JSON document.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        DocumentResult
            As it was saved.

        Raises
        ------
        ResultError
            There is none, it is damaged or was changed, or it is something else.
        """
        check_there(path, cls.kind)
        try:
            content = json.loads(path.read_text("utf-8"))
            if content.get("format") != cls.kind.format:
                raise NoStudyError(f"{path}: not {cls.kind.title} of this program ({cls.kind.format!r})")
            if content.pop("sha256", None) != files.digest(content):
                raise ResultError(f"{path}: damaged: its content does not match the checksum in it")
            del content["format"]
            return cls.from_content(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultError(f"{path}: cut short or damaged: {error}") from error


class GroupedResult(StudyResult):
    """A study result that is groups of named arrays with attributes, in one netCDF-4 file.

    Parameters
    ----------
    attrs : dict, or callable that makes one when it is first asked for
        What was run.
    groups : mapping of str to {str: Named}
        The arrays, by group and name.
    """

    fast: ClassVar[bool] = False  # deflate lightly

    def __init__(self, attrs: dict[str, Any] | Callable[[], dict[str, Any]], groups: Groups) -> None:
        self._attrs, self.groups = attrs, groups

    @cached_property
    def attrs(self) -> dict[str, Any]:
        """What was run and where it comes from."""
        return self._attrs() if callable(self._attrs) else self._attrs

    @property
    def title(self) -> str:  # type: ignore[override]
        """Title of the scenario."""
        return str(self.attrs["title"])

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Seed of the random numbers."""
        return int(self.attrs["seed"])

    @property
    def engine_version(self) -> str:  # type: ignore[override]
        """Version of the program that made it."""
        return str(self.attrs["engine_version"])

    @property
    def scenario(self) -> str:  # type: ignore[override]
        """The complete scenario, as YAML."""
        return str(self.attrs["scenario"])

    @property
    def scenario_name(self) -> str:  # type: ignore[override]
        """Name of the scenario."""
        return str(self.attrs["scenario_name"])

    @property
    def scenario_sha256(self) -> str:  # type: ignore[override]
        """Hash of the resolved scenario."""
        return str(self.attrs["scenario_sha256"])

    @property
    def arguments(self) -> dict[str, Any]:  # type: ignore[override]
        """What the study was called with, as far as the numbers depend on it."""
        return dict(json.loads(self.attrs["arguments"]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader must know."""
        return tuple(json.loads(self.attrs["warnings"]))

    @property
    def data(self) -> xarray.DataTree:
        """The whole result as an `xarray.DataTree`."""
        import xarray

        root = {"/": xarray.Dataset(attrs=self.attrs)}
        return xarray.DataTree.from_dict(root | {f"/{name}": dataset(group) for name, group in self.groups.items()})

    def writer(self) -> Writer:
        """A writer of the netCDF file.

        Returns
        -------
        callable
            It writes to a path.
        """
        return files.sealing(lambda path: netcdf.write(path, self.attrs, self.groups, fast=self.fast))

    @classmethod
    def read(cls, path: Path, lazily: bool = False) -> Self:
        """Read a netCDF file of this kind; `lazily`: each group when it is first asked for.

        Parameters
        ----------
        path : Path
            The file.
        lazily : bool
            Read each group when it is first asked for; the file must stay.

        Returns
        -------
        GroupedResult
            Of this class.
        """
        return cls(*files.read_netcdf(path, (cls.kind,), lazily))

    def provenance(self) -> dict[str, Any]:
        """What the manifest says, with the versions of libraries where they are known.

        Returns
        -------
        dict
            Plain data, for JSON.
        """
        known = self.attrs.get("versions")
        return super().provenance() | ({"versions": json.loads(known)} if known else {})

"""Reads `columns/*.toml`: the headings under which lenders' own programs export our columns."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dunning.domain.customer.headings import plain_heading
from dunning.policy.files import DataFile


class ColumnsFile(BaseModel):
    """Headings by column. A heading belongs to one column in all files together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    headings: dict[
        Annotated[str, Field(pattern="^[a-z][a-z_]*$")], list[Annotated[str, Field(min_length=1, max_length=80)]]
    ]


def load_headings(data_files: Mapping[str, DataFile]) -> dict[str, str]:
    """
    Return the column of each heading, the heading in the form of `plain_heading`.

    Raises:
        PolicyError: a file does not fit, or two columns have one heading.
    """
    column_of: dict[str, str] = {}
    for file in data_files.values():
        for column, headings in file.read(ColumnsFile).headings.items():
            for heading in headings:
                form = plain_heading(heading)
                if not form:
                    raise file.refusal(("headings", column), f"{heading!r} has no letter or digit")
                other = column_of.setdefault(form, column)
                if other != column:
                    raise file.refusal(("headings", column), f"{heading!r} is a heading of {other} too")
    return column_of

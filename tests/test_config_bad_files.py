"""One bad file per mistake, each with its exact message beside it (tests/bad/NAME.yaml and NAME.txt)."""

from pathlib import Path

import pytest

from config.load import ConfigError, load

BAD = Path(__file__).parent / "bad"
FILES = sorted(path.name for path in BAD.glob("*.yaml"))


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_says_what_is_wrong_where_and_what_is_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as refused:
        load(Path(name))
    assert str(refused.value) + "\n" == (BAD / name).with_suffix(".txt").read_text(encoding="utf-8")


def test_every_mistake_of_one_file_is_shown_at_once_and_by_line() -> None:
    with pytest.raises(ConfigError) as refused:
        load(BAD / "several.yaml")
    assert [problem.line for problem in refused.value.problems] == [2, 4, 12, 13]


def test_a_missing_file_is_one_line_with_the_command_that_writes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        load(Path("nines.yaml"))
    assert (
        str(refused.value)
        == "nines.yaml: no such file or directory; run nines init to write one, or pass --config PATH"
    )


def test_an_empty_folder_says_which_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}: the folder holds no .yaml file; write {tmp_path}/nines.yaml, or run nines init"
    )

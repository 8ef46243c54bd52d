"""Each group has a test file."""

from helpers.groups import HERE, PROGRAMS, file_of


def test_each_group_has_a_test_file():
    missing = [file_of(program) for program in PROGRAMS if not (HERE / f"{program}.py").exists()]
    assert not missing, f"missing: {missing}"

"""okulctl key export and key import: the keys of one machine on another. Each test has its own data folder."""

import os
import pty
import re
import select
import signal
import termios
import time

import pytest

from helpers.folder import Folder
from helpers.server import SLOW

PASSPHRASE = "four words of ours"
OTHER = "four words of theirs"


@pytest.fixture
def machine(folder, tmp_path):
    """A second machine, with an empty data folder."""
    (tmp_path / "second").mkdir()
    second = Folder(tmp_path / "second")
    second.data.mkdir(mode=0o700)
    for each in (folder, second):
        each.environment["OKUL_PASSPHRASE"] = PASSPHRASE
    return second


@pytest.fixture
def sealed(folder, machine, tmp_path):
    """The keys of the first machine, exported."""
    path = tmp_path / "keys.sealed"
    assert folder.good("key", "export", path).startswith(f"{path}: the keys, sealed; ")
    return path


def text(folder):
    return (folder.data / "keys.conf").read_text()


def with_key(keys, name, digits="ab" * 32):
    assert len(re.findall(rf"(?m)^{name} = [0-9a-f]{{64}}$", keys)) == 1
    return re.sub(rf"(?m)^{name} = [0-9a-f]{{64}}$", f"{name} = {digits}", keys)


@pytest.mark.parametrize("name", ["key export", "key import"])
def test_help(folder, name):
    assert re.search(f"(?m)^  {name}  +[a-z]", folder.good("--help"))
    assert folder.good(*name.split(), "--help").startswith(f"usage: okulctl [-d DATA] {name} FILE")
    for arguments in ([], ["--nonsense", "f"], ["f", "g"]):
        run = folder.ctl(*name.split(), *arguments)
        assert run.returncode == 64 and run.stderr and not run.stdout
    assert folder.ctl("key", "export", "f", "--force").returncode == 64


def test_a_new_machine_gets_the_keys(folder, machine, sealed):
    path = machine.data / "keys.conf"
    assert machine.good("key", "import", sealed) == f"{path}: imported; restart okul now\n"
    assert path.read_text() == text(folder) and path.stat().st_mode & 0o7777 == 0o600
    assert "keys.conf" not in machine.good("migrate")
    assert machine.good("key", "import", sealed) == f"{path} has these keys already\n"
    assert sorted(p.name for p in machine.data.iterdir() if "keys" in p.name) == ["keys.conf"]


def test_the_file_shows_nothing_of_the_keys(folder, sealed, tmp_path):
    content = sealed.read_text()
    assert sealed.stat().st_mode & 0o7777 == 0o600
    assert re.fullmatch(r"okul keys 1\nargon2id 6 65536 [0-9a-f]{32}\n[A-Za-z0-9_-]+\n", content)
    assert not any(key[:16] in content for key in re.findall("[0-9a-f]{64}", text(folder)))
    folder.good("key", "export", tmp_path / "again")
    salts = [path.read_text().split()[6] for path in (sealed, tmp_path / "again")]
    assert salts[0] != salts[1]


def test_by_standard_output_and_input(folder, machine):
    sealed = folder.good("key", "export", "-")
    assert sealed.startswith("okul keys 1\n")
    machine.good("key", "import", "-", input=sealed.encode())
    assert text(machine) == text(folder)


def test_an_export_replaces_no_file(folder, sealed):
    before = sealed.read_bytes()
    run = folder.ctl("key", "export", sealed)
    assert run.returncode == 65 and f"{sealed} exists" in run.stderr and sealed.read_bytes() == before


@pytest.mark.parametrize("passphrase,fault", [(None, "no terminal to ask"), ("eleven byte", "use at least 12"), ("x" * 1000, "at most 999")])
def test_a_passphrase_that_is_none(folder, machine, tmp_path, passphrase, fault):
    folder.environment.pop("OKUL_PASSPHRASE")
    if passphrase:
        folder.environment["OKUL_PASSPHRASE"] = passphrase
    # in a session of its own, without a terminal
    folder.command = lambda *words: ["setsid", "-w", *Folder.command(folder, *words)]
    run = folder.ctl("key", "export", tmp_path / "keys.sealed")
    assert run.returncode == 1 and fault in run.stderr and not (tmp_path / "keys.sealed").exists()


def test_the_passphrase_in_a_file(folder, machine, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{OTHER}\nand a note\n")
    folder.good("key", "export", tmp_path / "keys.sealed", "--passphrase-file", secret)
    run = machine.ctl("key", "import", tmp_path / "keys.sealed")    # with that of the environment
    assert run.returncode == 65 and "the passphrase is another one, or the file is damaged" in run.stderr
    assert not (machine.data / "keys.conf").exists()
    machine.good("key", "import", "--passphrase-file", secret, tmp_path / "keys.sealed")
    assert text(machine) == text(folder)
    run = machine.ctl("key", "import", "--passphrase-file", tmp_path / "none", tmp_path / "keys.sealed")
    assert run.returncode == 65 and f"{tmp_path}/none: No such file" in run.stderr


@pytest.mark.parametrize("change", ["first line", "passes", "memory", "salt", "sealed", "end", "empty"])
def test_a_damaged_file_changes_nothing(machine, sealed, change):
    content = sealed.read_text()
    last = content.splitlines()[-1]
    changed = {"first line": content.replace("keys 1", "keys 2"), "passes": content.replace(" 6 ", " 7 "),
               "memory": content.replace("65536", "9999999"), "salt": re.sub(r"[0-9a-f]{32}", "0" * 32, content, count=1),
               "sealed": content.replace(last, last[:40] + ("A" if last[40] != "A" else "B") + last[41:]),
               "end": content[:-20] + "\n", "empty": ""}[change]
    assert changed != content
    sealed.write_text(changed)
    run = machine.ctl("key", "import", sealed)
    assert run.returncode == 65 and run.stderr.startswith("okulctl: ") and str(sealed) in run.stderr and run.stdout == ""
    assert list(machine.data.iterdir()) == []


# ---- other keys are there already


@pytest.mark.parametrize("name,ends", [("refresh", "all sessions: everybody has to log in again"), ("code", "the login codes"),
                                       ("mail", "the mails that wait to be sent: they are lost"), ("link", "the signed addresses"),
                                       ("k1", "the access tokens that this machine signed")])
def test_other_keys_are_replaced_by_force_only(folder, machine, sealed, name, ends):
    path = machine.data / "keys.conf"
    path.write_text(with_key(text(folder), name))
    path.chmod(0o600)
    before = path.read_text()
    run = machine.ctl("key", "import", sealed)
    assert run.returncode == 65 and run.stdout == "" and path.read_text() == before
    lines = run.stderr.splitlines()
    assert len(lines) == 2 and lines[0].startswith(f"okulctl: this ends {ends}") and "--force replaces them" in lines[1]
    assert machine.ctl("key", "import", "--force", sealed).returncode == 0
    assert path.read_text() == text(folder) and (machine.data / "keys.conf.old").read_text() == before
    assert (machine.data / "keys.conf.old").stat().st_mode & 0o7777 == 0o600


def test_all_that_ends_is_said(folder, machine, sealed):
    machine.good("migrate")
    run = machine.ctl("key", "import", sealed)
    assert run.returncode == 65 and len(run.stderr.splitlines()) == 6
    assert text(machine) != text(folder)


def test_rotated_keys_need_no_force(folder, machine, sealed, tmp_path):
    """After `key rotate` the others get the new key, and what they signed with the old one is still valid."""
    machine.good("key", "import", sealed)
    folder.good("key", "rotate")
    folder.good("key", "export", tmp_path / "rotated")
    assert machine.good("key", "import", tmp_path / "rotated").endswith("imported; restart okul now\n")
    assert machine.good("key", "list") == "kid\tuse\nk2\tsigns and verifies\nk1\tverifies\n"
    # back to the file before: what the new key signed would be refused
    run = machine.ctl("key", "import", sealed)
    assert run.returncode == 65 and "the access tokens that this machine signed" in run.stderr


def test_broken_keys_are_replaced_by_force_only(folder, machine, sealed):
    path = machine.data / "keys.conf"
    path.write_text("nonsense")
    path.chmod(0o600)
    run = machine.ctl("key", "import", sealed)
    assert run.returncode == 65 and "line 1 is broken" in run.stderr and path.read_text() == "nonsense"
    assert machine.ctl("key", "import", sealed, "--force").returncode == 0 and text(machine) == text(folder)


def test_without_a_data_folder(machine, sealed):
    machine.data.rmdir()
    run = machine.ctl("key", "import", sealed)
    assert run.returncode == 78 and f"no data folder {machine.data}" in run.stderr


# ---- a person at a terminal


def typed(folder, answers, *arguments):
    """What the terminal showed while each prompt got its answer, and the exit status."""
    environment = {k: v for k, v in folder.environment.items() if k != "OKUL_PASSPHRASE"}
    command = folder.command(*arguments)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, environment)
    shown, end = b"", time.monotonic() + 60 * SLOW
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:     # the last process has closed the terminal
                break
        if answers and shown.endswith(answers[0][0]):
            os.write(terminal, answers.pop(0)[1])
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_person_types_the_passphrase(folder, machine, tmp_path):
    path = tmp_path / "keys.sealed"
    word = PASSPHRASE.encode() + b"\n"
    shown, status = typed(folder, [(b"Passphrase: ", word), (b"Again: ", word)], "key", "export", path)
    assert status == 0 and PASSPHRASE not in shown and path.exists()
    shown, status = typed(machine, [(b"Passphrase: ", word)], "key", "import", path)
    assert status == 0 and PASSPHRASE not in shown and text(machine) == text(folder)


def test_two_different_passphrases(folder, machine, tmp_path):
    shown, status = typed(folder, [(b"Passphrase: ", b"four words of ours\n"), (b"Again: ", b"four words of hours\n")], "key", "export",
                          tmp_path / "keys.sealed")
    assert status == 1 and "the two passphrases differ" in shown and not (tmp_path / "keys.sealed").exists()


def test_control_c_gives_the_terminal_its_echo_back(folder, tmp_path):
    environment = {k: v for k, v in folder.environment.items() if k != "OKUL_PASSPHRASE"}
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)    # a shell starts what runs in the background with it ignored
        command = list(map(str, folder.command("key", "export", tmp_path / "keys.sealed")))
        os.execve(command[0], command, environment)
    shown = b""
    while b"Passphrase: " not in shown:
        shown += os.read(terminal, 4096)
    keeper = os.open(f"/proc/{child}/fd/0", os.O_RDWR | os.O_NOCTTY)    # so that its modes outlive the child
    assert not termios.tcgetattr(keeper)[3] & termios.ECHO
    os.write(terminal, b"\x03")
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    assert termios.tcgetattr(keeper)[3] & termios.ECHO and not (tmp_path / "keys.sealed").exists()
    os.close(keeper)
    os.close(terminal)

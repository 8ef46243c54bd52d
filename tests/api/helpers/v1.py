"""The /api/v1 surface: codes of four digits."""

from helpers.client import Person
from helpers.server import code_in, fresh

SEND, VERIFY, REFRESH = "/api/v1/auth/send-otp-email", "/api/v1/auth/verify-otp-email", "/api/v1/auth/refresh"
REVOKE, DELETION = "/api/v1/auth/revoke-token", "/api/v1/users/me/account-deletion"
LOCKED = ("Too many wrong codes were entered for this address from unknown networks; try again later, or ask for a code on a "
          "network from which you have logged in before")


class Member(Person):
    """A user who logged in through /api/v1."""

    def __init__(self, okul, address, data):
        self.okul, self.email, self.data = okul, address, data
        self.token, self.refresh, self.user = data["accessToken"], data["refreshToken"], data["user"]
        self.id = self.claims()["sub"]


def send(okul, address, **more):
    return okul.post(SEND, {"email": address}, **more)


def code(okul, address):
    before = len(okul.server.mailbox.to(address))
    assert send(okul, address).status == 201
    return code_in(okul.server.mailbox.wait(address, before + 1), digits=4)


def verify(okul, address, code_, **signup):
    return okul.post(VERIFY, {"email": address, "code": code_} | signup)


def login(okul, address=None, **signup):
    address = address or fresh()
    answer = verify(okul, address, code(okul, address), **signup)
    assert answer.status == 200, answer
    return Member(okul, address, answer.data)

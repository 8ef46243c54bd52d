"""Changes that admins make to users."""

import functools


@functools.cache
def superadmin(okul):
    return okul.staff("superadmin")


def profile(boss, id_, **fields):
    return boss.patch(f"/admin/users/{id_}/profile", fields)


def give_role(boss, id_, role):
    return boss.patch(f"/admin/users/{id_}/role", {"role": role})


def give_email(boss, id_, email):
    return boss.patch(f"/admin/users/{id_}/email", {"email": email})

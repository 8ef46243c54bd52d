#include "role.h"

static const char *const names[] = {
	[PUBLIC] = "public",
	[OPTIONAL] = "optional",
	[USER] = "user",
	[ADMIN] = "admin",
	[SUPERADMIN] = "superadmin",
};

const char *
role_name(enum role role)
{
	return names[role];
}

enum role
role_of(const char *name)
{
	for (enum role role = USER; role <= SUPERADMIN; role++)
		if (name && strcmp(name, names[role]) == 0)
			return role;
	return PUBLIC;
}

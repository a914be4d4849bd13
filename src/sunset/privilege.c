/* SPDX-License-Identifier: ISC */
/* Root and capabilities, given up before the first connection. */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum status
privilege_find(
    const char *user, struct report *report, struct privilege *privilege)
{
	const struct passwd *entry = NULL;

	*privilege = (struct privilege){.drop = false};
	if (user != NULL) {
		entry = getpwnam(user);
		if (entry == NULL)
			return report_fault(report, STATUS_CONFIG, user, "user",
			    NULL, "no such user");
	}
	if (geteuid() != 0) {
		if (entry != NULL && entry->pw_uid != geteuid())
			report_warn(report, user, "user", NULL,
			    "not started as root, stays user %lu",
			    (unsigned long)geteuid());
		return STATUS_OK;
	}
	if (entry == NULL || entry->pw_uid == 0) {
		(void)report_fault(report, STATUS_CONFIG,
		    user == NULL ? "root" : user, "user", "house rule",
		    "started as root, have nobody to become");
		report_hint(report, "set `user` in [server]");
		return STATUS_CONFIG;
	}
	*privilege = (struct privilege){
	    .drop = true, .uid = entry->pw_uid, .gid = entry->pw_gid};
	return STATUS_OK;
}

/* CAP_NET_BIND_SERVICE, say, has done its work once the sockets are bound. */
static bool
capabilities_drop(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) == 0;
}

enum status
privilege_drop(const struct privilege *privilege, struct report *report)
{
	bool done = true;

	if (privilege->drop)
		done = setgroups(1, &privilege->gid) == 0 &&
		       setresgid(privilege->gid, privilege->gid,
			   privilege->gid) == 0 &&
		       setresuid(
			   privilege->uid, privilege->uid, privilege->uid) == 0;
	if (!done || !capabilities_drop())
		return report_fault(report, STATUS_FAILED, "root", "user", NULL,
		    "cannot be given up: %s", strerror(errno));
	if (privilege->drop && setresuid(0, 0, 0) == 0)
		return report_fault(report, STATUS_FAILED, "root", "user", NULL,
		    "was given up, and can be had again");
	/* Nobody of the same user may look into it, or steer it. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	return STATUS_OK;
}

#include "agent/feed_install.h"

#include <string.h>

#include "agent/feed_files.h"
#include "base/safefile.h"

static const char release_extract[] =
    "# The prison's ordinary extract of planned releases. Grammar: docs/feeds.md.\n"
    "does: release snapshot\n"
    "format: csv\n"
    "encoding: utf-8\n"
    "\n"
    "# Whom this agent speaks for. Rows of other establishments are counted and left alone. A list, such as\n"
    "# [DGI, SFI], takes the place of what the protocol says.\n"
    "establishments: from protocol\n"
    "\n"
    "ours:\n"
    "  - {from: Establishment, in: establishments}\n"
    "\n"
    "# Of these nobody is told: they are no releases.\n"
    "skip:\n"
    "  - {from: Release Type, in: [ROTL, COURT, TRANSFER, HOSPITAL, DEATH], because: not a release}\n"
    "\n"
    "lookups:\n"
    "  confidence: {CALCULATED: calculated, CONFIRMED: confirmed}\n"
    "\n"
    "values:\n"
    "  pnc_id: PNC ID\n"
    "  prison_no: NOMS No\n"
    "  name: {from: [Surname, Forenames], join: \", \", required: yes}\n"
    "  dob: {from: DOB, date: DD/MM/YYYY, required: yes}\n"
    "  prison: {from: Establishment, required: yes}\n"
    "  release_date: {from: Release Date, date: DD/MM/YYYY, required: yes}\n"
    "  date_type: {from: Release Type, required: yes}\n"
    "  confidence: {from: Status, lookup: confidence}\n"
    "  home_force: {from: Home Force, required: yes}\n"
    "  home_district: Home District\n"
    "  licence_conditions: Licence Conditions\n"
    "\n"
    "on_change: {cause: recalculated}\n"
    "on_gone: {cause: row_gone}\n";

static const char ppo_list[] =
    "# Everybody on the scheme, as the police keep the list. Grammar: docs/feeds.md.\n"
    "# A new row lists a person, a changed one lists the person again with what is new, and a row that has "
    "gone\n"
    "# takes the person off the list.\n"
    "does: list\n"
    "format: csv\n"
    "encoding: utf-8\n"
    "\n"
    "values:\n"
    "  pnc_id: {from: PNC ID, required: yes}\n"
    "  prison_no: NOMS No\n"
    "  name: {from: [Surname, Forenames], join: \", \", required: yes}\n"
    "  dob: {from: DOB, date: DD/MM/YYYY, required: yes}\n"
    "  strand: {from: Strand, required: yes}\n"
    "  area: {from: Area, required: yes}\n"
    "  home_force: {from: Home Force, required: yes}\n"
    "  review_due: {from: Review Due, date: YYYY-MM-DD, required: yes}\n"
    "  authority: {from: Authority, required: yes}\n"
    "  selector: {from: Reason, required: yes}\n"
    "\n"
    "# What the partners are told when a row has gone.\n"
    "on_gone: {reason: other}\n";

static const struct {
    const char *name;
    const char *member_class;
    const char *text;
} shipped[] = {
    {"release-extract", "prison", release_extract},
    {"ppo-list", "police", ppo_list},
};
#define SHIPPED (sizeof shipped / sizeof shipped[0])

const char *feed_install_text(const char *name)
{
    for (size_t i = 0; i < SHIPPED; i++)
        if (strcmp(shipped[i].name, name) == 0)
            return shipped[i].text;
    return NULL;
}

static enum status install(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    enum status status = feed_files_make(folder, name);

    if (status == STATUS_OK)
        status = feed_files_path(folder, name, "feed.yaml", NULL, path);
    if (status == STATUS_OK)
        status = safefile_create(path, bytes_of_string(text), 0600);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

enum status feed_install(const char *folder, const char *member)
{
    const size_t class_size = strcspn(member, ".");
    enum status status = STATUS_OK;

    for (size_t i = 0; i < SHIPPED && status == STATUS_OK; i++)
        if (strlen(shipped[i].member_class) == class_size &&
            strncmp(shipped[i].member_class, member, class_size) == 0)
            status = install(folder, shipped[i].name, shipped[i].text);
    return status;
}

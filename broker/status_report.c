#include "broker/status_report.h"

#include <unistd.h>

#include "base/civil.h"

#define EXPIRING (14 * CIVIL_DAY_MS)

static const char *state_word(enum bundle_state state)
{
    switch (state) {
    case BUNDLE_NOT_YET:
        return "not in force yet";
    case BUNDLE_IN_FORCE:
        return "in force";
    case BUNDLE_EXPIRING:
        return "expires soon";
    case BUNDLE_EXPIRED:
        return "expired";
    }
    return "";
}

static json_t *report_bundle(const struct bundle *bundle, int64_t now)
{
    char from[CIVIL_TIME_SIZE];
    char until[CIVIL_TIME_SIZE];

    civil_format_time(bundle_not_before(bundle), from);
    civil_format_time(bundle_not_after(bundle), until);
    return json_pack("{s:s, s:I, s:b, s:s, s:s, s:s}", "partnership", bundle_name(bundle), "serial",
                     (json_int_t)bundle_serial(bundle), "demo", bundle_demo(bundle) ? 1 : 0, "from", from,
                     "until", until, "state", state_word(bundle_state(bundle, now, EXPIRING)));
}

static json_t *report_member(const struct directory_entry *entry, const struct roster_peer *peer,
                             int64_t elapsed)
{
    if (peer == NULL || peer->state != ROSTER_BOUND)
        return json_pack("{s:s, s:b}", "member", entry->member, "connected", 0);
    return json_pack("{s:s, s:b, s:I, s:I}", "member", entry->member, "connected", 1, "bundle",
                     (json_int_t)peer->serial, "seconds", (json_int_t)((elapsed - peer->since) / 1000));
}

static json_t *report_members(const struct status_report *report)
{
    const struct directory *directory = bundle_directory(sessions_bundle(report->sessions));
    const struct roster *roster = sessions_roster(report->sessions);
    const struct directory_entry *entry = NULL;
    json_t *members = json_array();

    while ((entry = directory_next(directory, entry, report->time.now)) != NULL) {
        if (entry->role == ROLE_AGENT)
            (void)json_array_append_new(
                members, report_member(entry, roster_find(roster, entry->member), report->time.elapsed));
    }
    return members;
}

static json_t *report_door(const struct sessions_counters *counters)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "admitted", (json_int_t)counters->admitted,
                     "turned_away", (json_int_t)counters->turned_away, "received",
                     (json_int_t)counters->received, "submitted", (json_int_t)counters->submitted, "busy",
                     (json_int_t)counters->busy, "refused", (json_int_t)counters->refused, "sent",
                     (json_int_t)counters->sent, "unsent", (json_int_t)counters->unsent);
}

json_t *status_report_make(const struct status_report *report, json_t *pipeline)
{
    char time[CIVIL_TIME_SIZE];

    civil_format_time(report->time.now, time);
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:o, s:o, s:O?}", "member", report->member, "listen",
                     report->endpoint, "time", time, "pid", (json_int_t)getpid(), "bundle",
                     report_bundle(sessions_bundle(report->sessions), report->time.now), "connected",
                     (json_int_t)roster_bound(sessions_roster(report->sessions)), "members",
                     report_members(report), "door", report_door(sessions_counters(report->sessions)),
                     "pipeline", pipeline);
}

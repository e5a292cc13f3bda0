#include "agent/text_view.h"

#include <stdbool.h>
#include <string.h>

/* A text without what a terminal would obey. */
static void put(FILE *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        (void)fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
    }
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static void put_list(FILE *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        (void)fputs(i > 0 ? ", " : "", out);
        put(out, json_string_value(json_array_get(list, i)));
    }
}

/* Urgent, and nobody here has opened or acknowledged it. */
static bool is_open_urgent(const json_t *event)
{
    return json_is_string(json_object_get(event, "acknowledge_by")) &&
           !json_is_string(json_object_get(event, "acknowledged")) &&
           strcmp(text_at(event, "state"), "stored") == 0;
}

/* What must not be overlooked. */
static const char *marks_of(const json_t *event)
{
    if (json_is_true(json_object_get(event, "break_glass")))
        return "BREAK-GLASS  ";
    return json_is_true(json_object_get(event, "waiting")) ? "WAITS FOR AN ANSWER  " : "";
}

void text_view_inbox(const json_t *events, FILE *out)
{
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);

        (void)fprintf(out, "%.16s  %s  %s", text_at(event, "received"), text_at(event, "event"),
                      marks_of(event));
        put(out, text_at(event, "type"));
        (void)fputs(" from ", out);
        put(out, text_at(event, "from"));
        if (is_open_urgent(event))
            (void)fputs(", URGENT", out);
        (void)fprintf(out, "%s%s%s\n    ", strcmp(text_at(event, "state"), "stored") == 0 ? "" : ", ",
                      strcmp(text_at(event, "state"), "stored") == 0 ? "" : text_at(event, "state"),
                      json_is_true(json_object_get(event, "late")) ? ", late" : "");
        put_list(out, json_object_get(event, "labels"));
        (void)fputc('\n', out);
    }
}

static void put_line(FILE *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    (void)fprintf(out, "%-16s", name);
    put(out, value);
    (void)fputc('\n', out);
}

static void put_values(FILE *out, const char *title, json_t *values)
{
    const char *label = NULL;
    json_t *value = NULL;

    if (json_object_size(values) > 0)
        (void)fprintf(out, "%s\n", title);
    json_object_foreach(values, label, value)
    {
        (void)fputs("  ", out);
        put_line(out, label, json_string_value(value) != NULL ? json_string_value(value) : "");
    }
}

static void put_recipients(FILE *out, const json_t *recipients)
{
    static const struct {
        const char *key;
        const char *words;
    } told[] = {{"uncollected", "not fetched in time, told"},
                {"escalated", "not acknowledged in time, escalated"},
                {"acknowledged", "acknowledged"},
                {"confirmed", "confirmed"}};

    for (size_t i = 0; i < json_array_size(recipients); i++) {
        const json_t *to = json_array_get(recipients, i);

        (void)fprintf(out, "to %s under %s: %s%s", text_at(to, "to"), text_at(to, "rule"),
                      text_at(to, "state"), json_is_true(json_object_get(to, "late")) ? ", late" : "");
        for (size_t n = 0; n < sizeof told / sizeof told[0]; n++)
            if (text_at(to, told[n].key)[0] != '\0')
                (void)fprintf(out, ", %s %.16s", told[n].words, text_at(to, told[n].key));
        (void)fputs("\n  ", out);
        put_list(out, json_object_get(to, "labels"));
        (void)fputc('\n', out);
    }
}

static void put_refusals(FILE *out, const json_t *refusals)
{
    for (size_t i = 0; i < json_array_size(refusals); i++) {
        (void)fputs("refused: ", out);
        put(out, text_at(json_array_get(refusals, i), "text"));
        (void)fputc('\n', out);
    }
}

void text_view_event(const json_t *event, FILE *out)
{
    static const char *const lines[] = {"event",        "type",          "from",           "subject",
                                        "state",        "reason",        "purpose",        "rule",
                                        "created",      "received",      "officer",        "correlation",
                                        "supersedes",   "superseded_by", "corrected_by",   "acknowledge_by",
                                        "acknowledged", "escalated",     "retention_until"};

    if (json_is_true(json_object_get(event, "break_glass")))
        (void)fputs("BREAK-GLASS: the sender overrode the rules. If that was right: concordat confirm ID\n",
                    out);
    if (json_is_true(json_object_get(event, "waiting")))
        (void)fputs("A question that waits: concordat answer ID --item LABEL=VALUE …, or --decline\n", out);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        put_line(out, lines[i], text_at(event, lines[i]));
    if (json_is_true(json_object_get(event, "late")))
        (void)fputs("It came later than the rule wants.\n", out);
    if (strcmp(text_at(event, "onward"), "never") == 0)
        (void)fputs("Not to be passed on: whoever needs it asks its sender.\n", out);
    else if (text_at(event, "onward")[0] != '\0')
        (void)fputs("To be passed on with its sender's leave only.\n", out);
    put_values(out, "attributes", json_object_get(event, "attributes"));
    put_values(out, "items", json_object_get(event, "items"));
    put_values(out, "stated to come from", json_object_get(event, "stated"));
    put_recipients(out, json_object_get(event, "recipients"));
    put_refusals(out, json_object_get(event, "refusals"));
}

static void put_counts(FILE *out, const char *title, json_t *counts)
{
    const char *name = NULL;
    json_t *value = NULL;
    bool first = true;

    (void)fprintf(out, "%-16s", title);
    json_object_foreach(counts, name, value)
    {
        (void)fprintf(out, "%s%s %lld", first ? "" : ", ", name, (long long)json_integer_value(value));
        first = false;
    }
    (void)fputc('\n', out);
}

static void put_feeds(FILE *out, json_t *feeds)
{
    const char *name = NULL;
    json_t *feed = NULL;

    json_object_foreach(feeds, name, feed)
    {
        (void)fprintf(out, "feed %s: last %s, %lld rows, %lld rejected", name,
                      text_at(feed, "last")[0] != '\0' ? text_at(feed, "last") : "never",
                      (long long)json_integer_value(json_object_get(feed, "rows")),
                      (long long)json_integer_value(json_object_get(feed, "rejected")));
        if (text_at(feed, "held")[0] != '\0') {
            (void)fputs(", held: ", out);
            put(out, text_at(feed, "held"));
        }
        (void)fputc('\n', out);
    }
}

/* What waits for somebody: for our duty contact, and for recipients of ours. */
static void put_open(const json_t *alerts, const json_t *outstanding, FILE *out)
{
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *alert = json_array_get(alerts, i);

        (void)fprintf(out, "ALERT %.16s: event %s from %s: ", text_at(alert, "at"), text_at(alert, "event"),
                      text_at(alert, "from"));
        put(out, text_at(alert, "text"));
        if (text_at(alert, "contact")[0] != '\0') {
            (void)fputs(" (", out);
            put(out, text_at(alert, "contact"));
            (void)fputs(")", out);
        }
        (void)fputc('\n', out);
    }
    for (size_t i = 0; i < json_array_size(outstanding); i++) {
        const json_t *line = json_array_get(outstanding, i);

        (void)fprintf(out, "%s since %.16s: %s %s, to %s\n", text_at(line, "what"), text_at(line, "since"),
                      text_at(line, "type"), text_at(line, "event"), text_at(line, "to"));
    }
}

static void put_log(FILE *out, const json_t *log)
{
    (void)fprintf(out, "%-16s%lld sent and %lld received proved, %lld of them not final\n", "log",
                  (long long)json_integer_value(json_object_get(log, "sent")),
                  (long long)json_integer_value(json_object_get(log, "received")),
                  (long long)json_integer_value(json_object_get(log, "provisional")));
    if (json_integer_value(json_object_get(log, "owed")) > 0)
        (void)fprintf(out, "%-16s%lld proofs are owed, the oldest since %.16s\n", "",
                      (long long)json_integer_value(json_object_get(log, "owed")),
                      text_at(log, "owed_since"));
    if (json_integer_value(json_object_get(log, "not_received")) > 0)
        (void)fprintf(out, "%-16s%lld logged as disclosed to us and not received, the oldest since %.16s\n",
                      "", (long long)json_integer_value(json_object_get(log, "not_received")),
                      text_at(log, "not_received_since"));
}

/* What we cosigned of the log, and whether the log contradicted itself. */
static void put_witness(const json_t *witness, FILE *out)
{
    const json_t *forks = json_object_get(witness, "forks");
    const long long newest = (long long)json_integer_value(json_object_get(witness, "newest"));
    const long long cosigned = (long long)json_integer_value(json_object_get(witness, "cosigned"));

    if (json_is_true(json_object_get(witness, "named")) || cosigned > 0) {
        (void)fprintf(out, "%-16s", "witness");
        if (cosigned > 0)
            (void)fprintf(out, "we cosigned the log's first %lld entries, at %.16s", cosigned,
                          text_at(witness, "since"));
        else
            (void)fputs("we have not cosigned the log yet", out);
        (void)fprintf(out, newest > 0 ? "; it had %lld when we connected\n" : "\n", newest);
    }
    if (json_is_true(json_object_get(witness, "key_differs")))
        put_line(out, "", "the bundle names another witness key for us: nothing is cosigned");
    if (json_is_true(json_object_get(witness, "damaged")))
        put_line(out, "", "our record of what we cosigned is damaged: nothing is cosigned");
    for (size_t i = 0; i < json_array_size(forks); i++) {
        const json_t *fork = json_array_get(forks, i);

        (void)fprintf(out, "FORK %.16s: ", text_at(fork, "at"));
        put(out, text_at(fork, "text"));
        (void)fputs(": not cosigned, and both notes are kept; tell the board\n", out);
    }
}

void text_view_status(const json_t *status, FILE *out)
{
    const json_t *bundle = json_object_get(status, "bundle");
    const json_t *incidents = json_object_get(status, "incidents");
    const json_t *questions = json_object_get(status, "questions");

    put_line(out, "member", text_at(status, "member"));
    put_line(out, "now", text_at(status, "now"));
    put_line(out, "broker",
             json_is_true(json_object_get(status, "connected")) ? "connected" : "not connected");
    if (json_is_string(json_object_get(status, "trouble")))
        put_line(out, "", text_at(status, "trouble"));
    if (json_is_object(bundle))
        (void)fprintf(out, "%-16s%lld, %s, expires %s\n", "bundle",
                      (long long)json_integer_value(json_object_get(bundle, "serial")),
                      text_at(bundle, "state"), text_at(bundle, "expires"));
    (void)fprintf(out, "%-16s", "protocols");
    put_list(out, json_object_get(status, "protocols"));
    (void)fprintf(out, "\n%-16s%lld\n", "people",
                  (long long)json_integer_value(json_object_get(status, "people")));
    put_counts(out, "outbox", json_object_get(status, "outbox"));
    put_counts(out, "inbox", json_object_get(status, "inbox"));
    if (json_integer_value(json_object_get(questions, "waiting")) > 0)
        (void)fprintf(out, "%-16s%lld wait for an answer, the oldest since %.16s\n", "questions",
                      (long long)json_integer_value(json_object_get(questions, "waiting")),
                      text_at(questions, "since"));
    put_log(out, json_object_get(status, "log"));
    put_feeds(out, json_object_get(status, "feeds"));
    put_witness(json_object_get(status, "witness"), out);
    put_open(json_object_get(status, "alerts"), json_object_get(status, "outstanding"), out);
    for (size_t i = 0; i < json_array_size(incidents); i++) {
        const json_t *incident = json_array_get(incidents, i);

        (void)fprintf(out, "incident %.16s: ", text_at(incident, "at"));
        put(out, text_at(incident, "text"));
        (void)fputc('\n', out);
    }
}

void text_view_findings(const json_t *findings, FILE *out)
{
    const json_t *list = json_object_get(findings, "findings");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *finding = json_array_get(list, i);

        (void)fprintf(out, "%-8s %-12s", text_at(finding, "level"), text_at(finding, "check"));
        put(out, text_at(finding, "text"));
        (void)fputc('\n', out);
        if (json_is_string(json_object_get(finding, "remedy"))) {
            (void)fprintf(out, "%-21s→ ", "");
            put(out, text_at(finding, "remedy"));
            (void)fputc('\n', out);
        }
    }
}

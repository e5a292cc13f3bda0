/*
 * bench_micro - figures that need no daemon: decisions a second with the shipped protocol, and entries to
 * root.
 *
 *   bench_micro RUNS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/safefile.h"
#include "base/yaml_errors.h"
#include "policy/decide.h"
#include "proto/merkle.h"
#include "proto/record.h"

#define RUNS_MAX  101
#define DECISIONS 200000
#define ENTRIES   1000000

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static void emit(const char *figure, const char *unit, double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    printf("{\"figure\":\"%s\",\"unit\":\"%s\",\"median\":%.0f,\"min\":%.0f,\"max\":%.0f,\"runs\":%zu}\n",
           figure, unit, values[n / 2], values[0], values[n - 1], n);
    fflush(stdout);
}

static struct byte_buffer read_or_die(const char *path)
{
    struct byte_buffer text = bytes_buffer(0);

    if (safefile_read(path, (size_t)4 << 20, &text) != STATUS_OK) {
        fprintf(stderr, "bench_micro: cannot read %s\n", path);
        exit(3);
    }
    return text;
}

static void load_protocol(struct catalogue **ret_catalogue, struct protocol **ret_protocol)
{
    static struct yaml_errors errors;
    struct byte_buffer catalogue = read_or_die(PROJECT_ROOT "/policy/catalogue.yaml");
    struct byte_buffer protocol = read_or_die(PROJECT_ROOT "/policy/staffordshire-ppo.yaml");

    if (catalogue_load(bytes_buffer_view(&catalogue), &errors, ret_catalogue) != STATUS_OK ||
        protocol_load(bytes_buffer_view(&protocol), *ret_catalogue, &errors, ret_protocol) != STATUS_OK) {
        fprintf(stderr, "bench_micro: the shipped protocol does not load\n");
        exit(1);
    }
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
}

static void list_person(struct register_state *state, int64_t now)
{
    register_init(state);
    state->entry.listed = true;
    state->entry.juvenile = JUVENILE_NO;
    state->entry.listed_at = now - 86400000;
    state->entry.review_due = civil_day_of(now) + 14;
    strcpy(state->entry.strand, "resettle_rehabilitate");
    strcpy(state->entry.area, "stoke");
    strcpy(state->entry.home_force, "21");
    state->consent_count = 1;
    strcpy(state->consents[0].scope, "throughcare");
    state->consents[0].given = true;
    state->consents[0].given_at = now - 86400000;
    state->consents[0].expires = civil_day_of(now) + 90;
    state->consents[0].withdrawn_at = INT64_MIN;
    state->grounds = REGISTER_GROUND_LISTING | REGISTER_GROUND_CONSENT(0);
}

static void decisions(size_t runs)
{
    static struct register_state person;
    static struct policy_decision decision;
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;
    int64_t now = 0;
    double rates[RUNS_MAX];

    load_protocol(&catalogue, &protocol);
    civil_parse_time("2026-12-01T08:00:00Z", &now);
    list_person(&person, now);
    struct policy_facts facts = {.person = &person, .correlated_event = CATALOGUE_NONE};
    for (uint16_t i = 0; i < protocol->party_count; i++)
        party_set_add(&facts.active, i);
    struct policy_request request = {.event =
                                         catalogue_find_event(catalogue, bytes_of_string("release.planned")),
                                     .from = bytes_of_string("prison.dovegate"),
                                     .occurred = now,
                                     .created = now,
                                     .effective = REQUEST_NO_DATE};
    request.purpose = bytes_of_string(policy_purpose(protocol, request.from, request.event));
    request_set(
        catalogue, &request, "held",
        bytes_of_string("address,date_type,dob,home_district,licence_conditions,name,pnc_id,prison_no"));
    request_set(catalogue, &request, "juvenile", bytes_of_string("no"));
    request_set(catalogue, &request, "release_date", bytes_of_string("2026-12-21"));
    request_set(catalogue, &request, "home_force", bytes_of_string("21"));
    if (request_read(catalogue, &request, NULL) != STATUS_OK)
        exit(1);
    for (size_t run = 0; run < runs; run++) {
        double started = now_seconds();
        for (size_t i = 0; i < DECISIONS; i++)
            policy_decide(protocol, &facts, &request, now + (int64_t)i % 2, &decision);
        rates[run] = DECISIONS / (now_seconds() - started);
    }
    if (decision.recipient_count != 3) {
        fprintf(stderr, "bench_micro: expected 3 recipients, decided on %u\n", decision.recipient_count);
        exit(1);
    }
    emit("decisions_three_recipients", "decisions/s", rates, runs);
    protocol_free(&protocol);
    catalogue_free(&catalogue);
}

/* A protocol of ten classes: rules from each for as many event types as it takes, each to three classes of
 * the person's area. Every class has a party in every area. */
static struct byte_buffer many_rules(const struct catalogue *catalogue, unsigned rules, unsigned areas)
{
    struct byte_buffer text = bytes_buffer((size_t)4 << 20);

    bytes_append_string(
        &text, "protocol: bench\nversion: 1\ntitle: bench\nowner: bench\nsignatories: [bench]\n"
               "impact_assessment: {reference: x, date: \"2026-01-01\"}\n"
               "policy_document: {reference: x, date: \"2026-01-01\"}\n"
               "in_force: {from: \"2026-01-01\", until: \"2027-12-31\"}\nreview: \"2027-01-01\"\n"
               "on_expiry: refuse\nsettings: {review_grace: P28D, juvenile_until: P18Y, onward: never, "
               "retention_ends: [erasure, retraction]}\n"
               "bodies: {b: x}\ngateways:\n  g: {law: x, from: any, to: any}\n"
               "conditions: {c: x}\n"
               "strands:\n  catch_convict: {authority: bcu_commander, class: c0}\n"
               "juveniles: {unknown_age: juvenile, approval: {authority: head_of_yos, class: c0}, strands: "
               "[catch_convict]}\nareas: [");
    for (unsigned i = 0; i < areas; i++)
        bytes_append_format(&text, "%sa%u", i == 0 ? "" : ", ", i);
    bytes_append_string(&text, "]\nclasses:\n");
    for (unsigned i = 0; i < 10; i++)
        bytes_append_format(&text, "  c%u: {regime: law_enforcement, bodies: [b]}\n", i);
    bytes_append_string(&text, "parties:\n");
    for (unsigned i = 0; i < 10 * areas; i++)
        bytes_append_format(&text, "  c%u.p%u: {areas: [a%u]}\n", i % 10, i / 10, i / 10);
    bytes_append_string(&text, "rules:\n");
    for (unsigned i = 0, event = 0; i < rules; i++) {
        while (catalogue->events[event].effect != EFFECT_NONE ||
               catalogue->events[event].asked != CATALOGUE_NONE ||
               strncmp(catalogue->events[event].type, "event.", 6) == 0)
            event++;
        bytes_append_format(&text,
                            "  r%u:\n    paragraph: [x]\n    from: c%u\n    events: [%s]\n    purpose: p\n"
                            "    needs: listed\n    retention: P1M\n    to:\n",
                            i, i % 10, catalogue->events[event].type);
        for (unsigned k = 1; k <= 3; k++)
            bytes_append_format(
                &text, "      - {class: c%u, relation: all in area, gateway: g, items: [name, dob]}\n",
                (i + k) % 10);
        event += i % 10 == 9;
    }
    return text;
}

static struct protocol *load_many(const struct catalogue *catalogue, unsigned rules, unsigned areas)
{
    static struct yaml_errors errors;
    struct byte_buffer text = many_rules(catalogue, rules, areas);
    struct protocol *protocol = NULL;

    if (protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol) != STATUS_OK) {
        fprintf(stderr, "bench_micro: %u: %s\n", errors.list[0].line, errors.list[0].text);
        exit(1);
    }
    bytes_buffer_free(&text);
    return protocol;
}

/* Decisions a second for one event with three recipients. */
static void measure(const char *figure, const struct protocol *protocol, const struct policy_facts *facts,
                    const struct policy_request *request, size_t runs)
{
    static struct policy_decision decision;
    double rates[RUNS_MAX];

    for (size_t run = 0; run < runs; run++) {
        double started = now_seconds();
        for (size_t i = 0; i < DECISIONS; i++)
            policy_decide(protocol, facts, request, request->created + (int64_t)i % 2, &decision);
        rates[run] = DECISIONS / (now_seconds() - started);
    }
    if (decision.recipient_count != 3) {
        fprintf(stderr, "bench_micro: expected 3 recipients, decided on %u\n", decision.recipient_count);
        exit(1);
    }
    emit(figure, "decisions/s", rates, runs);
}

/* One decision with three recipients under so many rules, and ten parties in each of so many areas. */
static void rules(const char *figure, unsigned rule_count, unsigned areas, size_t runs)
{
    static struct register_state person;
    struct byte_buffer text = read_or_die(PROJECT_ROOT "/policy/catalogue.yaml");
    static struct yaml_errors errors;
    struct catalogue *catalogue = NULL;
    struct protocol *protocol;
    int64_t now = 0;
    uint16_t event = 0;

    if (catalogue_load(bytes_buffer_view(&text), &errors, &catalogue) != STATUS_OK)
        exit(1);
    protocol = load_many(catalogue, rule_count, areas);
    civil_parse_time("2026-12-01T08:00:00Z", &now);
    list_person(&person, now);
    strcpy(person.entry.strand, "catch_convict");
    snprintf(person.entry.area, sizeof person.entry.area, "a%u", areas - 1);
    struct policy_facts facts = {.person = &person, .correlated_event = CATALOGUE_NONE};
    for (uint16_t i = 0; i < protocol->party_count; i++)
        party_set_add(&facts.active, i);
    while (protocol_pair_of(protocol, event, 9)->rule == PROTOCOL_NONE)
        event++;
    struct policy_request request = {.event = event,
                                     .from = bytes_of_string("c9.p0"),
                                     .occurred = now,
                                     .created = now,
                                     .effective = REQUEST_NO_DATE,
                                     .purpose = bytes_of_string("p")};
    request_set(catalogue, &request, "held", bytes_of_string("dob,name"));
    request_set(catalogue, &request, "juvenile", bytes_of_string("no"));
    if (request_read(catalogue, &request, NULL) != STATUS_OK)
        exit(1);
    measure(figure, protocol, &facts, &request, runs);
    bytes_buffer_free(&text);
    protocol_free(&protocol);
    catalogue_free(&catalogue);
}

static void leaves(size_t runs)
{
    uint8_t entry[RECORD_ENTRY_SIZE] = {RECORD_VERSION, RECORD_DISCLOSED};
    double rates[RUNS_MAX];

    for (size_t run = 0; run < runs; run++) {
        struct merkle_frontier frontier = {0};
        double started = now_seconds();
        for (uint32_t i = 0; i < ENTRIES; i++) {
            bytes_put_u32(entry + 2, i);
            struct digest leaf = merkle_leaf(bytes_view(entry, sizeof entry));
            merkle_frontier_append(&frontier, &leaf);
        }
        (void)merkle_frontier_root(&frontier);
        rates[run] = ENTRIES / (now_seconds() - started);
    }
    emit("entries_to_root", "leaves/s", rates, runs);
}

int main(int argc, char **argv)
{
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 5;

    if (runs == 0 || runs > RUNS_MAX) {
        fprintf(stderr, "usage: bench_micro RUNS (1 to %d)\n", RUNS_MAX);
        return 2;
    }
    decisions(runs);
    rules("decisions_20_rules_10_parties", 20, 1, runs);
    rules("decisions_200_rules_100_parties", 200, 10, runs);
    leaves(runs);
    return 0;
}

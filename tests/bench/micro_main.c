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

static void list_person(struct register_state *state, const struct protocol *protocol, int64_t now)
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
    state->grounds =
        REGISTER_GROUND_LISTING | REGISTER_GROUND_CONSENT(protocol_find_consent(protocol, "throughcare"));
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
    list_person(&person, protocol, now);
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
    leaves(runs);
    return 0;
}

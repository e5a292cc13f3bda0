/* Any bytes as a protocol against the shipped catalogue: refused with a place and a reason, or a protocol
 * under which every question can be asked. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "base/yaml_errors.h"
#include "policy/decide.h"
#include "policy/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct yaml_errors errors;
static struct catalogue *catalogue;
static struct policy_decision decision;

static void load_catalogue(void)
{
    struct byte_buffer text = bytes_buffer(0);

    if (catalogue != NULL)
        return;
    if (safefile_read(PROJECT_ROOT "/policy/catalogue.yaml", (size_t)1 << 20, &text) != STATUS_OK ||
        catalogue_load(bytes_buffer_view(&text), &errors, &catalogue) != STATUS_OK)
        abort();
    bytes_buffer_free(&text);
}

static void check_decision(const struct protocol *protocol)
{
    char sentence[POLICY_TEXT_SIZE];

    assert(decision.granted == (decision.recipient_count > 0 || decision.record));
    assert(decision.granted || decision.refusal_count > 0);
    for (uint16_t i = 0; i < decision.recipient_count; i++) {
        const struct policy_recipient *recipient = &decision.recipients[i];

        assert(recipient->party != decision.from);
        assert(label_set_within(&recipient->labels, &catalogue->events[decision.event].carried));
        assert(i == 0 || decision.recipients[i - 1].party < recipient->party);
    }
    for (uint16_t i = 0; i < decision.refusal_count; i++) {
        policy_refusal_text(protocol, &decision, &decision.refusals[i], sentence);
        assert(sentence[0] != '\0');
    }
    policy_decision_text(protocol, &decision, sentence);
}

static void ask(const struct protocol *protocol, uint16_t event, uint16_t from)
{
    struct byte_buffer text = bytes_buffer((size_t)1 << 20);
    struct explain_question question = {.event = catalogue->events[event].type,
                                        .from = protocol->parties[from].id,
                                        .to = protocol->parties[(from + 1) % protocol->party_count].id,
                                        .juvenile = from % 2 == 0};
    struct policy_request request = {.event = event, .from = bytes_of_string(protocol->parties[from].id)};
    struct policy_facts facts = {.active = {{~UINT64_C(0)}}, .correlated_event = CATALOGUE_NONE};
    const char *purpose = policy_purpose(protocol, request.from, event);
    bool yes = false;

    request.purpose = bytes_of_string(purpose == NULL ? "" : purpose);
    request.held = catalogue->events[event].item_set;
    policy_decide(protocol, &facts, &request, protocol->in_force_from, &decision);
    check_decision(protocol);
    explain_answer(protocol, &question, protocol->in_force_from, &yes, &text, NULL);
    bytes_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer text = bytes_buffer((size_t)1 << 20);
    struct protocol *protocol = NULL;

    load_catalogue();
    memset(&errors, 0, sizeof errors);
    if (protocol_load(bytes_view(data, size), catalogue, &errors, &protocol) != STATUS_OK) {
        assert(protocol == NULL && errors.count > 0 && errors.list[0].line > 0);
        return 0;
    }
    assert(errors.count == 0);
    explain_summary(protocol, &text);
    bytes_buffer_free(&text);
    for (uint16_t event = 0; event < catalogue->event_count; event++) {
        for (uint16_t from = 0; from < protocol->party_count && from < 8; from++)
            ask(protocol, event, from);
    }
    protocol_free(&protocol);
    return 0;
}

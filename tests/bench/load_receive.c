#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "proto/receipt.h"
#include "tests/bench/load.h"

#define CREDIT        1024
#define RECEIPT_BATCH 256

/* What one recipient has yet to receipt. */
struct pile {
    size_t count;
    uint32_t taken; /* since the last Fetch */
    uint8_t bytes[RECEIPT_BATCH][RECEIPT_SIZE_MAX];
    size_t sizes[RECEIPT_BATCH];
};

struct receiver {
    struct load *load;
    struct wire_arena arena;
    struct byte_buffer frame;
    struct byte_buffer head;
    struct pile piles[LOAD_RECIPIENTS];
    uint8_t *sections_seen; /* by event number */
};

static void send_frame(struct receiver *receiver, struct load_party *party)
{
    if (receiver->frame.status != STATUS_OK ||
        zmq_send(party->socket, receiver->frame.data, receiver->frame.size, 0) < 0)
        load_fail(receiver->load, party->member, "could not send");
    bytes_buffer_clear(&receiver->frame);
}

static void grant_credit(struct receiver *receiver, struct load_party *party, uint32_t credit)
{
    Wire__Fetch fetch = WIRE__FETCH__INIT;
    Wire__Frame frame = WIRE__FRAME__INIT;

    fetch.credit = credit;
    frame.version = WIRE_VERSION;
    frame.request = 2;
    frame.verb_case = WIRE__FRAME__VERB_FETCH;
    frame.fetch = &fetch;
    wire_pack(&frame.base, &receiver->frame);
    send_frame(receiver, party);
}

static void send_receipts(struct receiver *receiver, size_t recipient)
{
    struct load_party *party = &receiver->load->recipients[recipient];
    struct pile *pile = &receiver->piles[recipient];
    struct byte_view views[RECEIPT_BATCH];

    if (pile->count == 0)
        return;
    for (size_t i = 0; i < pile->count; i++)
        views[i] = bytes_view(pile->bytes[i], pile->sizes[i]);
    if (receipt_batch_build(3, &party->signer, keystore_signing(party->keystore), views, pile->count,
                            bytes_buffer_view(&receiver->head), &receiver->frame) != STATUS_OK)
        load_fail(receiver->load, party->member, "could not build receipts");
    send_frame(receiver, party);
    pile->count = 0;
    if (pile->taken >= CREDIT / 4) {
        grant_credit(receiver, party, pile->taken);
        pile->taken = 0;
    }
}

/* The senders may be waiting for this. */
static void wake_senders(struct load *load)
{
    uint64_t one = 1;

    (void)!write(load->wake, &one, sizeof one);
}

static void take_event(struct receiver *receiver, size_t recipient, const Wire__Deliver *deliver,
                       const Wire__Delivered *event)
{
    struct load *load = receiver->load;
    struct pile *pile = &receiver->piles[recipient];
    struct byte_buffer bytes = bytes_buffer(RECEIPT_SIZE_MAX);
    struct receipt receipt = {.to = bytes_of_string(load->recipients[recipient].member),
                              .from = bytes_of_string(deliver->from),
                              .outcome = RECEIPT_STORED,
                              .time = bundle_not_before(load->bundle) + 600000,
                              .counter = event->counter};
    struct header header;
    struct core core;

    if (header_parse(wire_view(event->header), &header) != STATUS_OK ||
        core_decode(header.core, &core) != STATUS_OK) {
        load_fail(load, "delivered", "a malformed header");
        return;
    }
    memcpy(receipt.event, core.event, sizeof receipt.event);
    memcpy(receipt.bundle, bundle_head_digest(load->bundle), sizeof receipt.bundle);
    header_digest(wire_view(event->header), receipt.header);
    section_digest(wire_view(event->section), receipt.section);
    if (receipt_encode(&receipt, &bytes) != STATUS_OK) {
        load_fail(load, "receipt", "could not be encoded");
        return;
    }
    memcpy(pile->bytes[pile->count], bytes.data, bytes.size);
    pile->sizes[pile->count++] = bytes.size;
    pile->taken++;
    bytes_buffer_free(&bytes);
    uint64_t number = load_number(core.event);
    if (number < load->options.events && ++receiver->sections_seen[number] == LOAD_RECIPIENTS) {
        load->delivered[number] = load_now();
        atomic_fetch_add(&load->arrived, 1);
        if (load->options.whole)
            wake_senders(load);
    }
    if (pile->count == RECEIPT_BATCH)
        send_receipts(receiver, recipient);
}

static void take_frame(struct receiver *receiver, size_t recipient, struct byte_view bytes)
{
    const Wire__Frame *frame;
    struct load *load = receiver->load;

    wire_arena_reset(&receiver->arena);
    if (wire_frame_unpack(bytes, &receiver->arena, &frame) != STATUS_OK) {
        load_fail(load, "recipient", "a malformed frame");
        return;
    }
    if (frame->verb_case == WIRE__FRAME__VERB_DELIVER) {
        for (size_t i = 0; i < frame->deliver->n_events; i++)
            take_event(receiver, recipient, frame->deliver, frame->deliver->events[i]);
    } else if (frame->verb_case == WIRE__FRAME__VERB_RECEIPTS_STORED) {
        atomic_fetch_add(&load->receipted, frame->receipts_stored->count);
        if (load->options.backlog > 0)
            wake_senders(load);
    } else if (frame->verb_case == WIRE__FRAME__VERB_ERROR) {
        load_fail(load, load->recipients[recipient].member, frame->error->text);
    }
}

static bool drain(struct receiver *receiver, size_t recipient)
{
    void *socket = receiver->load->recipients[recipient].socket;
    bool some = false;
    zmq_msg_t message;

    zmq_msg_init(&message);
    for (int i = 0; i < 64 && zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0; i++) {
        take_frame(receiver, recipient, bytes_view(zmq_msg_data(&message), zmq_msg_size(&message)));
        some = true;
    }
    zmq_msg_close(&message);
    return some;
}

void *load_receive(void *argument)
{
    static struct receiver receiver;
    struct load *load = argument;
    zmq_pollitem_t items[LOAD_RECIPIENTS];
    uint64_t wanted = (uint64_t)load->options.events * LOAD_RECIPIENTS;

    receiver.load = load;
    receiver.arena = wire_arena(WIRE_ARENA_FRAME);
    receiver.frame = bytes_buffer(WIRE_FRAME_LIMIT);
    receiver.head = bytes_buffer(65536);
    wire_pack(&bundle_signed_head(load->bundle)->base, &receiver.head);
    receiver.sections_seen = calloc(load->options.events, 1);
    for (size_t i = 0; i < LOAD_RECIPIENTS; i++) {
        items[i] = (zmq_pollitem_t){.socket = load->recipients[i].socket, .events = ZMQ_POLLIN};
        grant_credit(&receiver, &load->recipients[i], CREDIT);
    }
    int64_t last = load_now();
    while (atomic_load(&load->receipted) < wanted && !atomic_load(&load->failed)) {
        zmq_poll(items, LOAD_RECIPIENTS, 100);
        for (size_t i = 0; i < LOAD_RECIPIENTS; i++) {
            if (drain(&receiver, i))
                last = load_now();
            send_receipts(&receiver, i);
        }
        if (load_now() - last > INT64_C(20000000000))
            load_fail(load, "recipients", "nothing came for 20 seconds");
    }
    free(receiver.sections_seen);
    wire_arena_free(&receiver.arena);
    bytes_buffer_free(&receiver.frame);
    bytes_buffer_free(&receiver.head);
    return NULL;
}

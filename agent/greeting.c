#include "agent/greeting.h"

#include "agent/witness.h"
#include "proto/wire_codec.h"

enum status greeting_write(struct agent *agent, uint64_t request, int64_t now, struct byte_buffer *ret)
{
    const struct membership *membership = agent->membership;
    struct byte_buffer checkpoint = {0};
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__Hello hello = WIRE__HELLO__INIT;
    struct batch_signer signer;
    enum status status = membership_signer(membership, agent->settings.member, now, &signer);

    if (status != STATUS_OK)
        return status;
    /* Without it the broker offers from the beginning, and we answer what we hold. */
    (void)witness_note(agent, now, &checkpoint);
    hello.member = agent->settings.member;
    hello.highest_version = WIRE_VERSION;
    hello.certificate = wire_data(bytes_view(signer.certificate.bytes, DIGEST_SIZE));
    hello.head = (Wire__SignedHead *)(uintptr_t)bundle_signed_head(membership->bundle);
    hello.has_checkpoint = checkpoint.size > 0;
    hello.checkpoint = wire_data(bytes_buffer_view(&checkpoint));
    frame.version = WIRE_VERSION;
    frame.request = request;
    frame.verb_case = WIRE__FRAME__VERB_HELLO;
    frame.hello = &hello;
    wire_pack(&frame.base, ret);
    bytes_buffer_free(&checkpoint);
    return ret->status;
}

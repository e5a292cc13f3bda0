#pragma once

#include "agent/draft.h"
#include "proto/uuid.h"

struct agent;

/*
 * The outbox: events on their way out, in durable states (docs/agent.md):
 *
 *   queued → sealed → accepted → delivered          refused from queued or sealed
 *
 * queued: kept at rest under our own key. sealed: header, sections and openings are fixed and sent byte for
 * byte until there is an outcome. accepted: the broker has it. delivered: every recipient's receipt was
 * verified here. Busy and stale lead back to queued, under the same id.
 */
extern const char outbox_schema[];

enum outbox_state { OUTBOX_QUEUED, OUTBOX_SEALED, OUTBOX_ACCEPTED, OUTBOX_DELIVERED, OUTBOX_REFUSED };
#define OUTBOX_STATES 5

/*
 * outbox_queue - check a draft and put it into the outbox. The one way in.
 *
 * Must be called inside a transaction of agent->db (db_begin); the event is queued once that commits. Values
 * are checked and made canonical by the catalogue; name, dob, pnc_id and prison_no are filled in from the
 * list of people when the type carries them and the draft does not.
 *
 * ret_event   the new event's id; ids ascend
 * ret_reason  filled in for STATUS_REFUSED (a wrong label or value, or an event that our class may never
 *             send): what is wrong and what to do
 *
 * Otherwise returns STATUS_NO_MEMORY, STATUS_CRYPTO, or what base/db.h returns.
 */
enum status outbox_queue(struct agent *agent, const struct draft *draft, int64_t now,
                         uint8_t ret_event[static UUID_SIZE], struct draft_reason *ret_reason);

/* outbox_state - of one event of ours. STATUS_NOT_FOUND. */
enum status outbox_state(struct agent *agent, const uint8_t event[static UUID_SIZE],
                         enum outbox_state *ret_state);

/*
 * outbox_repeat - queue a standing event of ours again for those entitled since, with its values as they
 * were. Inside a transaction. STATUS_NOT_FOUND when it is not ours, not standing, superseded, not accepted,
 * or being repeated already.
 */
enum status outbox_repeat(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t now);

/* outbox_resume - after opening: new ids ascend from those in the outbox. */
enum status outbox_resume(struct agent *agent);

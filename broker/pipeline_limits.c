#include "broker/pipeline.h"

struct pipeline_limits pipeline_limits(void)
{
    return (struct pipeline_limits){.verify_workers = 2,
                                    .intake_frames = 4096,
                                    .intake_bytes = (size_t)16 << 20,
                                    .group_frames = 1024,
                                    .group_bytes = (size_t)16 << 20,
                                    .outgoing_bytes = (size_t)16 << 20,
                                    .credit = 1024,
                                    .in_flight = 65536,
                                    .frames_per_second = 2000,
                                    .plans_per_minute = 60000,
                                    .gaps_per_minute = 60000,
                                    .refusals_per_minute = 600,
                                    .reports_per_minute = 12000,
                                    .log_entries_per_minute = 12000,
                                    .undelivered_sections = 1000000,
                                    .disk_floor = UINT64_C(64) << 20,
                                    .receipts_wait = 10,
                                    .consulted_after = 300000,
                                    .refusal_repeats = 60000,
                                    .sign_every = 250,
                                    .cosign_every = 30000,
                                    .look_every = 60000,
                                    .retention_every = 86400000,
                                    .count_every = 86400000,
                                    .remind_every = 86400000};
}

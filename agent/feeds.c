#include "agent/feeds.h"

/* An agent without feeds: nothing is watched, nothing can be imported. */
const char feeds_schema[] = "";

enum status feeds_init(const char *folder, const char *member)
{
    (void)folder;
    (void)member;
    return STATUS_OK;
}

enum status feeds_open(struct agent *agent, struct feeds **ret_feeds, struct feeds_reason *ret_reason)
{
    (void)agent;
    (void)ret_feeds;
    (void)ret_reason;
    return STATUS_OK;
}

void feeds_close(struct feeds **feeds)
{
    *feeds = NULL;
}

int feeds_fd(const struct feeds *feeds)
{
    (void)feeds;
    return -1;
}

enum status feeds_step(struct feeds *feeds, int64_t now, int64_t *ret_next)
{
    (void)feeds;
    (void)now;
    *ret_next = INT64_MAX;
    return STATUS_OK;
}

enum status feeds_import(struct feeds *feeds, const char *name, const char *path, const char *officer,
                         int64_t now, json_t **ret_page, struct feeds_reason *ret_reason)
{
    (void)feeds;
    (void)name;
    (void)path;
    (void)officer;
    (void)now;
    (void)ret_page;
    (void)ret_reason;
    return STATUS_NOT_FOUND;
}

void feeds_page_text(const json_t *page, struct byte_buffer *ret)
{
    (void)page;
    (void)ret;
}

json_t *feeds_status(const struct feeds *feeds)
{
    (void)feeds;
    return json_object();
}

/* Files in a feed's folder: what is taken, what is left alone, and what a crash leaves behind. */
#include "tests/support/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/feedhouse.h"

#define FEED "release-extract"
#define HEAD                                                                                                 \
    "NOMS No,PNC ID,Surname,Forenames,DOB,Establishment,Release Date,Release Type,Status,Home Force,"        \
    "Home District,Licence Conditions\r\n"
#define LIAM "A7629RT,03/9391423N,S,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n"

static struct feedhouse *ready(void)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");

    feedhouse_list(house);
    feedhouse_pass(house, 2000);
    return house;
}

static void a_closed_file_is_imported_at_once(void **state)
{
    struct feedhouse *house = ready();

    (void)state;
    feedhouse_drop(house, FEED, "extract.csv", HEAD LIAM);
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, "release.planned"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 0);
    assert_int_equal(feedhouse_count(house, FEED, "done"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "rejects"), 0);
    feedhouse_free(&house);
}

static void the_officer_is_the_feed(void **state)
{
    struct feedhouse *house = ready();
    struct byte_buffer storage = bytes_buffer(1 << 20);
    struct prepared event;

    (void)state;
    feedhouse_drop(house, FEED, "extract.csv", HEAD LIAM);
    feedhouse_run(house);
    feedhouse_event(house, "release.planned", "2003/9391423N", &storage, &event);
    assert_true(bytes_equal(event.officer, bytes_of_string("automatic:" FEED)));
    bytes_buffer_wipe(&storage);
    feedhouse_free(&house);
}

static void write_part(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void a_file_still_being_written_is_left_alone(void **state)
{
    struct feedhouse *house = ready();
    const int fd = open(feedhouse_path(house, FEED, "in", "slow.csv"), O_WRONLY | O_CREAT, 0600);

    (void)state;
    assert_true(fd >= 0);
    write_part(fd, HEAD);
    feedhouse_pass(house, 61000); /* the next scan sees it; then it changes every second */
    write_part(fd, LIAM);
    for (int i = 0; i < 5; i++) {
        feedhouse_pass(house, 1000);
        assert_int_equal(feedhouse_count(house, FEED, "in"), 1);
        write_part(fd, "A100");
    }
    assert_int_equal(feedhouse_queued(house, NULL), 0);
    assert_int_equal(close(fd), 0);
    feedhouse_free(&house);
}

/* Written where inotify does not see it: over a network, or before we began to watch. */
static void a_file_that_stands_still_is_complete(void **state)
{
    struct feedhouse *house = ready();

    (void)state;
    feedhouse_pause(house);
    feedhouse_drop(house, FEED, "extract.csv", HEAD LIAM);
    feedhouse_resume(house);
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 0);
    feedhouse_pass(house, 3000);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    feedhouse_free(&house);
}

static void names_of_what_arrives_are_left_alone(void **state)
{
    const char *const names[] = {".extract.csv", "extract.csv.part", "extract.csv.PART", "extract.csv~",
                                 "extract.tmp",  "x.filepart",       "x.crdownload"};
    struct feedhouse *house = ready();
    char from[512];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        feedhouse_drop(house, FEED, names[i], HEAD LIAM);
    feedhouse_pass(house, 70000);
    assert_int_equal(feedhouse_queued(house, NULL), 0);
    (void)snprintf(from, sizeof from, "%s", feedhouse_path(house, FEED, "in", "extract.csv.part"));
    assert_int_equal(rename(from, feedhouse_path(house, FEED, "in", "extract.csv")), 0);
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    assert_int_equal(feedhouse_count(house, FEED, "done"), 1);
    feedhouse_free(&house);
}

static void what_is_no_file_is_left_alone(void **state)
{
    struct feedhouse *house = ready();
    struct feeds_reason reason = {{0}};
    json_t *page = NULL;

    (void)state;
    assert_int_equal(symlink("/etc/passwd", feedhouse_path(house, FEED, "in", "link.csv")), 0);
    assert_int_equal(mkfifo(feedhouse_path(house, FEED, "in", "fifo.csv"), 0600), 0);
    assert_int_equal(mkdir(feedhouse_path(house, FEED, "in", "folder"), 0700), 0);
    feedhouse_pass(house, 70000);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 3);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 0);
    assert_int_equal(feeds_import(house->feeds, FEED, feedhouse_path(house, FEED, "in", "link.csv"), "o:1",
                                  house->now, &page, &reason),
                     STATUS_REFUSED);
    assert_non_null(strstr(reason.text, "regular file"));
    assert_int_equal(feeds_import(house->feeds, FEED, feedhouse_path(house, FEED, "in", "none.csv"), "o:1",
                                  house->now, &page, &reason),
                     STATUS_NOT_FOUND);
    assert_int_equal(feeds_import(house->feeds, "none", "/tmp", "o:1", house->now, &page, &reason),
                     STATUS_NOT_FOUND);
    feedhouse_free(&house);
}

static const char *held(struct feedhouse *house)
{
    static char text[512];
    json_t *status = feeds_status(house->feeds);
    const char *why = json_string_value(json_object_get(json_object_get(status, FEED), "held"));

    (void)snprintf(text, sizeof text, "%s", why != NULL ? why : "");
    json_decref(status);
    return text;
}

static void a_held_file_waits_for_a_person(void **state)
{
    struct feedhouse *house = ready();

    (void)state;
    feedhouse_drop(house, FEED, "empty.csv", HEAD);
    feedhouse_pass(house, 130000);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 1); /* once, not every minute */
    assert_non_null(strstr(held(house), "no rows"));
    feedhouse_drop(house, FEED, "empty.csv", HEAD LIAM);
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    assert_string_equal(held(house), "");
    feedhouse_free(&house);
}

static void a_held_file_is_released_by_hand(void **state)
{
    struct feedhouse *house = ready();
    struct feeds_reason reason = {{0}};
    char path[512];
    json_t *page = NULL;

    (void)state;
    feedhouse_drop(house, FEED, "a.csv",
                   HEAD LIAM "A1000ZZ,,S,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n");
    feedhouse_run(house);
    feedhouse_drop(house, FEED, "b.csv", HEAD LIAM);
    feedhouse_run(house);
    assert_non_null(strstr(held(house), "1 of the 2 rows"));
    (void)snprintf(path, sizeof path, "%s", feedhouse_path(house, FEED, "in", "b.csv"));
    assert_int_equal(feeds_accept(house->feeds, FEED, path, "officer:7", house->now, &page, &reason),
                     STATUS_OK);
    json_decref(page);
    assert_string_equal(held(house), "");
    assert_int_equal(feedhouse_count(house, FEED, "in"), 0);
    assert_int_equal(feedhouse_count(house, FEED, "done"), 2);
    feedhouse_free(&house);
}

static void files_wait_for_the_first_list(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");

    (void)state;
    feedhouse_drop(house, FEED, "extract.csv", HEAD LIAM);
    feedhouse_pass(house, 70000);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 1);
    assert_non_null(strstr(held(house), "no list"));
    feedhouse_list(house);
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 0);
    feedhouse_free(&house);
}

static void a_refused_file_goes_to_rejects(void **state)
{
    struct feedhouse *house = ready();

    (void)state;
    feedhouse_drop(house, FEED, "extract.xlsx", "PK\x03\x04 something");
    feedhouse_run(house);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 0);
    assert_int_equal(feedhouse_count(house, FEED, "rejects"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 1);
    feedhouse_free(&house);
}

static void rows_to_mend_are_written_down(void **state)
{
    struct feedhouse *house = ready();
    struct byte_buffer text = {0};

    (void)state;
    feedhouse_drop(house, FEED, "extract.csv",
                   HEAD LIAM "A1000ZZ,,S,F,16/09/1971,DGI,31/02/2027,CRD,CONFIRMED,21,,\r\n"
                             "A1001ZZ,,S,F,16/09/1971,DGI\r\n");
    feedhouse_run(house);
    text = support_read_file(feedhouse_path(house, FEED, "rejects", "extract.csv.rejects.csv"));
    bytes_append_u8(&text, 0);
    assert_string_equal((const char *)text.data,
                        "line,column,reason\r\n"
                        "3,Release Date,\"not a day that exists, written DD/MM/YYYY\"\r\n"
                        "4,,cut short: 6 fields where the first line has 12 headings\r\n");
    bytes_buffer_free(&text);
    feedhouse_free(&house);
}

static void a_wrong_mapping_waits_to_be_mended(void **state)
{
    struct feedhouse *house = ready();
    struct byte_buffer good = support_read_file(feedhouse_path(house, FEED, "", "feed.yaml"));
    FILE *file = NULL;

    (void)state;
    feedhouse_mapping(house, FEED, "does: release snapshot", "does: something");
    assert_non_null(strstr(held(house), "feed.yaml:2:7"));
    feedhouse_drop(house, FEED, "extract.csv", HEAD LIAM);
    feedhouse_pass(house, 5000);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 1);
    file = fopen(feedhouse_path(house, FEED, "", "feed.yaml"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(good.data, 1, good.size, file), good.size);
    assert_int_equal(fclose(file), 0);
    feedhouse_pass(house, 70000);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    bytes_buffer_free(&good);
    feedhouse_free(&house);
}

/* ---- large files and crashes -------------------------------------------------------------------------- */

static char *large(size_t rows)
{
    char *text = malloc(rows * 80 + 1024);
    size_t size = 0;

    assert_non_null(text);
    size = (size_t)sprintf(text, "%s%s", HEAD, LIAM);
    for (size_t i = 0; i < rows; i++)
        size +=
            (size_t)sprintf(text + size, "A%04zu%c%c,,S,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n",
                            i % 10000, (int)('A' + i / 10000 % 26), (int)('A' + i / 260000));
    return text;
}

/* Written to between two steps of reading: with the same size or a larger one. */
static void written_while_read(bool same_size)
{
    static const char row[] = "A9999ZZ,,S,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n";
    struct feedhouse *house = ready();
    char *text = large(3000);
    int64_t next = 0;
    int fd = -1;

    feedhouse_drop(house, FEED, "extract.csv", text);
    for (int i = 0; i < 3; i++)
        assert_int_equal(feeds_step(house->feeds, house->now, &next), STATUS_OK);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 0);
    fd = open(feedhouse_path(house, FEED, "in", "extract.csv"), O_WRONLY);
    assert_true(fd >= 0);
    assert_true(lseek(fd, same_size ? -(off_t)strlen(row) : 0, SEEK_END) > 0);
    write_part(fd, row);
    assert_int_equal(close(fd), 0);
    for (int i = 0; i < 7; i++) { /* to the end of the file, which does not count */
        assert_int_equal(feeds_step(house->feeds, house->now, &next), STATUS_OK);
        assert_int_equal(feedhouse_queued(house, NULL), 0);
    }
    feedhouse_pass(house, 5000);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "done"), 1);
    free(text);
    feedhouse_free(&house);
}

static void a_file_written_to_while_it_is_read_is_read_again(void **state)
{
    (void)state;
    written_while_read(false);
    written_while_read(true);
}

static int64_t rows_kept(struct feedhouse *house)
{
    struct db_statement *statement = NULL;
    bool row = false;
    int64_t count = 0;

    assert_int_equal(db_statement(house->agent.db, "SELECT count(*) FROM feed_row", &statement), STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    count = db_column_int64(statement, 0);
    db_reset(statement);
    return count;
}

/* The process that is to die: the crash point is read once a process. */
static int import_all(const char *folder)
{
    struct feedhouse *house = feedhouse_at("prison.dovegate", folder);

    feedhouse_pass(house, 5000);
    feedhouse_free(&house);
    return 0;
}

/* The process dies at the point; afterwards everything is there once. */
static void dies_at(const char *point, unsigned times)
{
    struct feedhouse *house = feedhouse_new_on_disk("prison.dovegate");
    char *text = large(2000);
    char crash[64];
    pid_t child = -1;
    int result = 0;

    feedhouse_list(house);
    feedhouse_drop(house, FEED, "extract.csv", text);
    feedhouse_pause(house);
    (void)snprintf(crash, sizeof crash, "%s:%u", point, times);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("CONCORDAT_CRASH", crash, 1);
        (void)execl("/proc/self/exe", "test", "--import", house->folder, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));
    feedhouse_resume(house);
    feedhouse_pass(house, 70000);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    assert_int_equal(feedhouse_count(house, FEED, "in"), 0);
    assert_int_equal(feedhouse_count(house, FEED, "done"), 1);
    assert_int_equal(rows_kept(house), 2001); /* what was read before is swept */
    free(text);
    feedhouse_free(&house);
}

static void a_crash_loses_nothing_and_sends_nothing_twice(void **state)
{
    (void)state;
    dies_at("feed.rows_kept", 1);
    dies_at("feed.rows_kept", 3);
    dies_at("feed.before_commit", 1);
    dies_at("feed.after_commit", 1);
}

static void old_rows_are_swept(void **state)
{
    struct feedhouse *house = ready();
    char *text = large(1500);

    (void)state;
    for (int i = 0; i < 3; i++) {
        feedhouse_drop(house, FEED, "extract.csv", text);
        feedhouse_pass(house, 2000);
        assert_int_equal(rows_kept(house), 1501);
    }
    free(text);
    feedhouse_free(&house);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_file_is_imported_at_once),
        cmocka_unit_test(the_officer_is_the_feed),
        cmocka_unit_test(a_file_still_being_written_is_left_alone),
        cmocka_unit_test(a_file_that_stands_still_is_complete),
        cmocka_unit_test(names_of_what_arrives_are_left_alone),
        cmocka_unit_test(what_is_no_file_is_left_alone),
        cmocka_unit_test(a_held_file_waits_for_a_person),
        cmocka_unit_test(a_held_file_is_released_by_hand),
        cmocka_unit_test(files_wait_for_the_first_list),
        cmocka_unit_test(a_refused_file_goes_to_rejects),
        cmocka_unit_test(rows_to_mend_are_written_down),
        cmocka_unit_test(a_wrong_mapping_waits_to_be_mended),
        cmocka_unit_test(a_file_written_to_while_it_is_read_is_read_again),
        cmocka_unit_test(a_crash_loses_nothing_and_sends_nothing_twice),
        cmocka_unit_test(old_rows_are_swept),
    };

    if (argc == 3 && strcmp(argv[1], "--import") == 0)
        return import_all(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/safefile.h"

static char folder[] = "/tmp/test-safefile-XXXXXX";
static char path[128];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int new_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-safefile-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static size_t count_names(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2;
}

static void expect_content(const char *file, const char *expected)
{
    struct byte_buffer content = {0};

    assert_int_equal(safefile_read(file, 1 << 20, &content), STATUS_OK);
    assert_int_equal(content.size, strlen(expected));
    assert_memory_equal(content.data, expected, content.size);
    bytes_buffer_free(&content);
}

static mode_t mode_of(const char *file)
{
    struct stat found;

    assert_int_equal(lstat(file, &found), 0);
    return found.st_mode & 07777;
}

static void a_written_file_is_read_back_with_its_mode(void **state)
{
    (void)state;
    const char *file = in_folder("a");
    mode_t before = umask(077);

    assert_int_equal(safefile_write(file, bytes_of_string("one"), 0644), STATUS_OK);
    umask(before);
    expect_content(file, "one");
    assert_int_equal(mode_of(file), 0644);
    assert_int_equal(safefile_write(file, bytes_of_string("second"), 0600), STATUS_OK);
    expect_content(file, "second");
    assert_int_equal(mode_of(file), 0600);
    assert_int_equal(safefile_write(file, bytes_view(NULL, 0), 0600), STATUS_OK);
    expect_content(file, "");
    assert_int_equal(count_names(), 1);
}

static void a_write_replaces_a_link_and_not_what_it_points_to(void **state)
{
    (void)state;
    char target[128];

    strcpy(target, in_folder("target"));
    assert_int_equal(safefile_write(target, bytes_of_string("kept"), 0600), STATUS_OK);
    assert_int_equal(symlink(target, in_folder("link")), 0);
    assert_int_equal(safefile_write(path, bytes_of_string("new"), 0600), STATUS_OK);
    expect_content(target, "kept");
    expect_content(in_folder("link"), "new");
}

static void create_never_replaces(void **state)
{
    (void)state;
    const char *file = in_folder("once");

    assert_int_equal(safefile_create(file, bytes_of_string("first"), 0600), STATUS_OK);
    assert_int_equal(safefile_create(file, bytes_of_string("other"), 0600), STATUS_EXISTS);
    expect_content(file, "first");
    assert_int_equal(symlink("/nonexistent", in_folder("dangling")), 0);
    assert_int_equal(safefile_create(path, bytes_of_string("other"), 0600), STATUS_EXISTS);
    assert_int_equal(count_names(), 2);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    static const uint8_t large[8192];
    const char *file = in_folder("a");
    struct rlimit before;

    assert_int_equal(safefile_write(file, bytes_of_string("old"), 0600), STATUS_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status written = safefile_write(file, bytes_view(large, sizeof large), 0600);
    enum status created = safefile_create(in_folder("b"), bytes_view(large, sizeof large), 0600);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(written, STATUS_NO_SPACE);
    assert_int_equal(created, STATUS_NO_SPACE);
    expect_content(in_folder("a"), "old");
    assert_int_equal(count_names(), 1);
    /* The name is a folder: the rename fails, and the temporary file goes too. */
    assert_int_equal(safefile_make_folder(in_folder("d"), 0700), STATUS_OK);
    assert_int_not_equal(safefile_write(path, bytes_of_string("x"), 0600), STATUS_OK);
    assert_int_equal(count_names(), 2);
}

static void a_full_disk_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(safefile_status(ENOSPC), STATUS_NO_SPACE);
    assert_int_equal(safefile_status(EDQUOT), STATUS_NO_SPACE);
    assert_int_equal(safefile_status(EIO), STATUS_IO);
    assert_int_equal(safefile_status(EACCES), STATUS_PERMISSION);
    assert_int_equal(safefile_status(ENOENT), STATUS_NOT_FOUND);
}

static void reading_is_bounded_and_takes_regular_files_only(void **state)
{
    (void)state;
    struct byte_buffer content = {.limit = 77};

    assert_int_equal(safefile_read(in_folder("none"), 10, &content), STATUS_NOT_FOUND);
    assert_int_equal(safefile_write(in_folder("a"), bytes_of_string("0123456789"), 0600), STATUS_OK);
    assert_int_equal(safefile_read(path, 9, &content), STATUS_TOO_LARGE);
    assert_int_equal(safefile_read(folder, 1000, &content), STATUS_NOT_A_FILE);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(safefile_read(path, 1000, &content), STATUS_NOT_A_FILE);
    /* Its size is 0 by stat, yet it has content: the bound holds on what is read. */
    assert_int_equal(safefile_read("/proc/self/status", 10, &content), STATUS_TOO_LARGE);
    assert_null(content.data);
    assert_int_equal(content.limit, 77);
    assert_int_equal(safefile_read(in_folder("a"), 10, &content), STATUS_OK);
    assert_int_equal(content.size, 10);
    bytes_buffer_free(&content);
}

static void links_are_followed_only_where_asked(void **state)
{
    (void)state;
    char target[128];
    struct byte_buffer content = {0};

    strcpy(target, in_folder("target"));
    assert_int_equal(safefile_write(target, bytes_of_string("x"), 0600), STATUS_OK);
    assert_int_equal(symlink(target, in_folder("link")), 0);
    assert_int_equal(safefile_read_nofollow(path, 10, &content), STATUS_PERMISSION);
    assert_int_equal(safefile_read_secret(path, 10, &content), STATUS_PERMISSION);
    assert_int_equal(safefile_read(path, 10, &content), STATUS_OK);
    bytes_buffer_free(&content);
    assert_int_equal(safefile_read_nofollow(target, 10, &content), STATUS_OK);
    bytes_buffer_free(&content);
}

static void a_secret_that_others_may_touch_is_refused(void **state)
{
    (void)state;
    static const mode_t refused[] = {0640, 0604, 0620, 0602, 0610, 0601};
    const char *file = in_folder("key");
    struct byte_buffer content = {0};

    assert_int_equal(safefile_write(file, bytes_of_string("secret"), 0600), STATUS_OK);
    assert_int_equal(safefile_read_secret(file, 100, &content), STATUS_OK);
    assert_int_equal(content.size, 6);
    bytes_buffer_wipe(&content);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(chmod(file, refused[i]), 0);
        assert_int_equal(safefile_read_secret(file, 100, &content), STATUS_PERMISSION);
    }
    assert_int_equal(chmod(file, 0400), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(file, 12345, (gid_t)-1), 0);
        assert_int_equal(safefile_read_secret(file, 100, &content), STATUS_PERMISSION);
    }
    assert_null(content.data);
}

static void folders_have_their_mode_and_are_made_once(void **state)
{
    (void)state;
    mode_t before = umask(0);

    assert_int_equal(safefile_make_folder(in_folder("d/"), 0710), STATUS_OK);
    umask(before);
    assert_int_equal(mode_of(in_folder("d")), 0710);
    assert_int_equal(safefile_make_folder(path, 0700), STATUS_EXISTS);
    assert_int_equal(safefile_make_folder(in_folder("no/d"), 0700), STATUS_NOT_FOUND);
    assert_int_equal(safefile_make_folder("", 0700), STATUS_BAD_ARGUMENT);
    assert_int_equal(safefile_sync_folder(folder), STATUS_OK);
    assert_int_equal(safefile_sync_folder(in_folder("none")), STATUS_NOT_FOUND);
}

static void free_space_is_told(void **state)
{
    (void)state;
    uint64_t free_bytes = 0;

    assert_int_equal(safefile_free_space(folder, &free_bytes), STATUS_OK);
    assert_true(free_bytes > 0);
    assert_int_equal(safefile_free_space(in_folder("none"), &free_bytes), STATUS_NOT_FOUND);
}

static void one_process_holds_a_folder(void **state)
{
    (void)state;
    struct folder_lock *lock = NULL;
    struct folder_lock *second = NULL;
    int64_t holder = 0;

    assert_int_equal(safefile_lock_holder(folder, &holder), STATUS_NOT_FOUND);
    assert_int_equal(safefile_lock(folder, &lock), STATUS_OK);
    assert_int_equal(safefile_lock(folder, &second), STATUS_IN_USE);
    assert_int_equal(safefile_lock_holder(folder, &holder), STATUS_OK);
    assert_int_equal(holder, getpid());
    pid_t child = fork();
    if (child == 0)
        _exit(safefile_lock(folder, &second) == STATUS_IN_USE ? 0 : 1);
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    safefile_unlock(&lock);
    assert_null(lock);
    safefile_unlock(&lock);
    assert_int_equal(safefile_lock_holder(folder, &holder), STATUS_NOT_FOUND);
    assert_int_equal(safefile_lock(folder, &second), STATUS_OK);
    safefile_unlock(&second);
}

static void a_killed_holder_frees_the_folder(void **state)
{
    (void)state;
    struct folder_lock *lock = NULL;
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (safefile_lock(folder, &lock) != STATUS_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(safefile_lock(folder, &lock), STATUS_IN_USE);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(safefile_lock(folder, &lock), STATUS_OK);
    safefile_unlock(&lock);
    close(ready[0]);
    close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_written_file_is_read_back_with_its_mode),
        TEST(a_write_replaces_a_link_and_not_what_it_points_to),
        TEST(create_never_replaces),
        TEST(a_failed_write_leaves_the_old_file_and_nothing_else),
        TEST(a_full_disk_is_told_apart),
        TEST(reading_is_bounded_and_takes_regular_files_only),
        TEST(links_are_followed_only_where_asked),
        TEST(a_secret_that_others_may_touch_is_refused),
        TEST(folders_have_their_mode_and_are_made_once),
        TEST(free_space_is_told),
        TEST(one_process_holds_a_folder),
        TEST(a_killed_holder_frees_the_folder),
    };
    return cmocka_run_group_tests_name("safefile", tests, NULL, NULL);
}

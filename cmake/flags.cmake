# Warnings, hardening and sanitizers, applied to every target of our own. Generated code is exempt from warnings.
option(CONCORDAT_HARDEN "Hardening flags for what is shipped (GCC)" OFF)
option(CONCORDAT_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
option(CONCORDAT_COVERAGE "Instrument for coverage" OFF)
option(CONCORDAT_CRASH_POINTS "Named points where tests can kill the process (base/crash.h); on with sanitizers or coverage" OFF)
set(CONCORDAT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

add_compile_definitions(_GNU_SOURCE)

add_library(concordat_warnings INTERFACE)
target_compile_options(concordat_warnings INTERFACE
  -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2 -Wundef -Wwrite-strings -Wpointer-arith
  -Wswitch-enum -Wimplicit-fallthrough)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Sentences for people are cut to their buffer on purpose; whatever must be whole checks snprintf's result.
  target_compile_options(concordat_warnings INTERFACE -Wno-format-truncation)
endif()

if(CONCORDAT_HARDEN)
  add_compile_options(-O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
    -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()

# Asserts guard against bugs and stay on in every build.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

if(CONCORDAT_SANITIZE)
  add_compile_options(-fsanitize=${CONCORDAT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${CONCORDAT_SANITIZE})
  find_program(CONCORDAT_GOLD ld.gold)
  if(CONCORDAT_GOLD AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_link_options(-fuse-ld=gold) # a hundred test programs link in half the time
  endif()
endif()
if(CONCORDAT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CONCORDAT_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
if(CONCORDAT_CRASH_POINTS OR CONCORDAT_SANITIZE OR CONCORDAT_COVERAGE)
  add_compile_definitions(CONCORDAT_CRASH_POINTS)
endif()

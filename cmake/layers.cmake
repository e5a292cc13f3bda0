# concordat_layer(NAME DEPENDS...) - one static library per top-level folder.
#
# A layer's headers are reached as "NAME/file.h" through a folder that holds nothing but a link to NAME, so
# that a source sees the headers of its own layer and of those that it depends on, and no others. Sources are
# all *.c of the folder and its subfolders, except *_main.c, each of which is a program (concordat_program).
function(concordat_layer name)
  set(view ${CMAKE_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${name} ${view}/${name} SYMBOLIC)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  list(FILTER sources EXCLUDE REGEX "_main\\.c$")
  set(linkage PUBLIC PARENT_SCOPE)
  if(NOT sources)
    set(linkage INTERFACE PARENT_SCOPE)
    add_library(concordat_${name} INTERFACE)
    target_include_directories(concordat_${name} INTERFACE ${view})
    foreach(below IN LISTS ARGN)
      target_link_libraries(concordat_${name} INTERFACE concordat_${below})
    endforeach()
    return()
  endif()
  add_library(concordat_${name} STATIC ${sources})
  target_include_directories(concordat_${name} PUBLIC ${view})
  target_link_libraries(concordat_${name} PRIVATE concordat_warnings)
  foreach(below IN LISTS ARGN)
    target_link_libraries(concordat_${name} PUBLIC concordat_${below})
  endforeach()
endfunction()

# What is installed, without the tests: cmake --build --preset release --target programs
add_custom_target(programs)

# concordat_program(PROGRAM SOURCE LIBRARIES...)
function(concordat_program program source)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    return()
  endif()
  add_executable(${program} ${source})
  target_link_libraries(${program} PRIVATE concordat_warnings ${ARGN})
  add_dependencies(programs ${program})
  install(TARGETS ${program} RUNTIME DESTINATION bin)
endfunction()

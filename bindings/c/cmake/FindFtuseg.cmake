# Finds the C library of ftuseg.
#
#     list(APPEND CMAKE_MODULE_PATH "/usr/local/share/ftuseg/cmake")   # where install.sh puts this file
#     find_package(Ftuseg REQUIRED)
#     target_link_libraries(viewer PRIVATE Ftuseg::Ftuseg)
#
# Ftuseg_ROOT names the folder that it is installed in, where that is no usual one and not the one above this file.
# Sets Ftuseg_FOUND, Ftuseg_VERSION, Ftuseg_ABI_VERSION, Ftuseg_INCLUDE_DIR and Ftuseg_LIBRARY.

get_filename_component(_Ftuseg_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_path(Ftuseg_INCLUDE_DIR NAMES ftuseg.h HINTS "${_Ftuseg_prefix}/include")
find_library(Ftuseg_LIBRARY NAMES ftuseg HINTS "${_Ftuseg_prefix}/lib" "${_Ftuseg_prefix}/lib64")
unset(_Ftuseg_prefix)

if(Ftuseg_INCLUDE_DIR)
    file(STRINGS "${Ftuseg_INCLUDE_DIR}/ftuseg.h" _Ftuseg_line REGEX "^#define FTUSEG_ABI_VERSION [0-9]+")
    string(REGEX MATCH "[0-9]+" Ftuseg_ABI_VERSION "${_Ftuseg_line}")
    unset(_Ftuseg_line)
    # Beside the library lies its pkg-config file, which knows the version.
    get_filename_component(_Ftuseg_folder "${Ftuseg_LIBRARY}" DIRECTORY)
    if(EXISTS "${_Ftuseg_folder}/pkgconfig/ftuseg.pc")
        file(STRINGS "${_Ftuseg_folder}/pkgconfig/ftuseg.pc" _Ftuseg_line REGEX "^Version: ")
        string(REPLACE "Version: " "" Ftuseg_VERSION "${_Ftuseg_line}")
        unset(_Ftuseg_line)
    endif()
    unset(_Ftuseg_folder)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
    Ftuseg
    REQUIRED_VARS Ftuseg_LIBRARY Ftuseg_INCLUDE_DIR
    VERSION_VAR Ftuseg_VERSION)
mark_as_advanced(Ftuseg_LIBRARY Ftuseg_INCLUDE_DIR)

if(Ftuseg_FOUND AND NOT TARGET Ftuseg::Ftuseg)
    add_library(Ftuseg::Ftuseg UNKNOWN IMPORTED)
    set_target_properties(
        Ftuseg::Ftuseg
        PROPERTIES IMPORTED_LOCATION "${Ftuseg_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${Ftuseg_INCLUDE_DIR}")
endif()

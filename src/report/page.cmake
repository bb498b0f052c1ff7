# Makes ${TIMBRE_PAGE_SOURCE}: the files of the report's page and Chart.js as constants of report/page.cpp.
find_file(TIMBRE_CHART_JS NAMES chart.min.js Chart.min.js
  PATHS /usr/share/javascript/chart.js /usr/share/nodejs/chart.js/dist NO_DEFAULT_PATH
  DOC "Chart.js 3, minified (Debian: libjs-chart.js)")
if(NOT TIMBRE_CHART_JS)
  message(FATAL_ERROR "Chart.js is missing, which the report embeds: install the Debian package libjs-chart.js, "
                      "or name the file with -DTIMBRE_CHART_JS=/path/chart.min.js")
endif()
file(GLOB page_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/page/*)
set(TIMBRE_PAGE_SOURCE ${CMAKE_BINARY_DIR}/generated/report_page.cpp)
add_custom_command(OUTPUT ${TIMBRE_PAGE_SOURCE}
  COMMAND ${CMAKE_COMMAND} "-DFILES=${page_files};${TIMBRE_CHART_JS}" -DOUTPUT=${TIMBRE_PAGE_SOURCE}
          -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
  DEPENDS ${page_files} ${TIMBRE_CHART_JS} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
  VERBATIM COMMENT "Embedding the report's page")

# cmake -DFILES="a;b" -DOUTPUT=x.cpp -P embed.cmake: the texts of files as raw string literals. The literals are cut into
# pieces, since compilers need not take longer ones than 64 kB.
set(entries "")
foreach(path IN LISTS FILES)
  get_filename_component(name ${path} NAME)
  string(TOLOWER ${name} name)
  file(READ ${path} text)
  set(pieces "")
  string(LENGTH "${text}" length)
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 16000 piece)
    string(APPEND pieces "\n     R\"~timbre~(${piece})~timbre~\"")
    math(EXPR at "${at} + 16000")
  endwhile()
  string(APPEND entries "    {\"${name}\",${pieces}},\n")
endforeach()
file(WRITE ${OUTPUT}.new "// Made by src/report/embed.cmake; do not edit.
#include <map>
#include <string>

namespace timbre::report {

extern const std::map<std::string, std::string> embedded_files;
const std::map<std::string, std::string> embedded_files{
${entries}};

}  // namespace timbre::report
")
file(RENAME ${OUTPUT}.new ${OUTPUT})

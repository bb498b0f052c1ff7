// What GCC's -fsanitize-coverage asks for and libFuzzer 14 does not have: comparisons of floating-point numbers, which it
// learns nothing from.
extern "C" {
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}
}

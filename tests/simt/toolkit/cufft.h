// A stand-in for cuFFT: batched real transforms, computed in double by plain recursion (host/fft.cpp).
#pragma once

#include "cuda_runtime_api.h"

enum cufftResult {
  CUFFT_SUCCESS = 0,
  CUFFT_INVALID_PLAN = 1,
  CUFFT_ALLOC_FAILED = 2,
  CUFFT_INVALID_VALUE = 4
};
enum cufftType { CUFFT_R2C = 0x2a, CUFFT_D2Z = 0x6a };
using cufftHandle = int;
using cufftReal = float;
using cufftComplex = float2;
using cufftDoubleReal = double;
using cufftDoubleComplex = double2;

cufftResult cufftCreate(cufftHandle* plan);
cufftResult cufftDestroy(cufftHandle plan);
cufftResult cufftSetAutoAllocation(cufftHandle plan, int allocate);
cufftResult cufftMakePlanMany64(cufftHandle plan, int rank, long long* n, long long* inembed,
                                long long istride, long long idist, long long* onembed, long long ostride,
                                long long odist, cufftType type, long long batch, std::size_t* work_bytes);
cufftResult cufftSetWorkArea(cufftHandle plan, void* work);
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream);
cufftResult cufftExecR2C(cufftHandle plan, cufftReal* in, cufftComplex* out);
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* in, cufftDoubleComplex* out);

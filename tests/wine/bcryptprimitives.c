/* Wine 8 has no bcryptprimitives.dll, whose one function Rust's library asks for numbers nobody can guess. Every Windows
   since 7 has it. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return SystemFunction036(buffer, (ULONG)length);
}

// Both files as one, as unity builds have it.
#include "other.cpp"  // NOLINT
#include "main.cpp"   // NOLINT

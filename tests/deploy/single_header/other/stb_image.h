/* Stands for another version of stb_image: names of the real one, and a function that has C's linkage as there. */
#ifndef STBI_INCLUDE_STB_IMAGE_H
#define STBI_INCLUDE_STB_IMAGE_H

#define STBI_VERSION 99
#define STBI_ONLY_BMP

typedef unsigned char stbi_uc;
extern "C" stbi_uc* stbi_load_from_memory(const stbi_uc*, int, int*, int*, int*, int); /* other.cpp */

#endif

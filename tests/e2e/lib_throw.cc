// lib_throw: a C++ library that throws through the frames of the C program that uses it.
#include <stdexcept>
#include <string>

namespace
{
struct Guard {
	int *count;
	~Guard()
	{
		++*count;
	}
};
} // namespace

extern "C" __attribute__((noinline)) void throw_it(int value)
{
	throw std::runtime_error("thrown " + std::to_string(value));
}

extern "C" int catch_it(void (*middle)(int), int value)
{
	int unwound = 0;
	try {
		Guard guard{&unwound};
		middle(value);
	} catch (const std::exception &e) {
		return std::string(e.what()) == "thrown " + std::to_string(value) ? unwound : -1;
	}
	return -2;
}

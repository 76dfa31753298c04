/* version.h: the release that library and command are of. */
#ifndef CG_VERSION_H
#define CG_VERSION_H

#define CG_VERSION "0.1.0"

#endif

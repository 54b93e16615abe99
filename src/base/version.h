/* The release. packaging/house.sh checks that meson.build and packaging/debian/changelog say the same. */
#ifndef COMITY_BASE_VERSION_H
#define COMITY_BASE_VERSION_H

#define COMITY_RELEASE "0.1.0"

#endif

// SPDX-License-Identifier: Apache-2.0
// Constants of exact widths, packed into 64-bit words, which compilers read fast: word w of a row
// holds the lanes w * (64 / width) and up, the first in the lowest bits.
#ifndef A2Q_PACKED_H
#define A2Q_PACKED_H

#include <ap_int.h>

namespace a2q {

typedef unsigned long long packed_t;

// Lane of a row; T is ap_int or ap_uint of the lanes' width.
template <class T, unsigned WORDS>
T packed_lane(const packed_t (&row)[WORDS], unsigned lane) {
#pragma HLS INLINE
  const unsigned share = 64 / T::width;
  return T(ap_uint<T::width>(row[lane / share] >> (lane % share * T::width)));
}

}  // namespace a2q

#endif

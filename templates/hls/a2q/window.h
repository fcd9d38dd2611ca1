// SPDX-License-Identifier: Apache-2.0
// Windows of an image that streams by, from a cyclic buffer; see a2q_window.sv for their order.
#ifndef A2Q_WINDOW_H
#define A2Q_WINDOW_H

#include <ap_int.h>
#include <hls_stream.h>

#include "lanes.h"

namespace a2q {

// Smaller of two numbers.
inline int least_of(int a, int b) {
#pragma HLS INLINE
  return a < b ? a : b;
}

// Words of the image that must be there when window (oy, ox) starts.
template <class config>
int words_needed(int oy, int ox) {
#pragma HLS INLINE
  const int row = least_of(oy * config::stride_y + config::kernel_y - config::top, config::height);
  const int column =
      least_of(ox * config::stride_x + config::kernel_x - config::left, config::width);
  return ((row - 1) * config::width + column) * config::words;
}

// One pass of the loop reads a word, while it is one of the next window's, and gives one of the
// present window's. config: types x_t; numbers lanes, height, width, words, turns, repeats,
// kernel_y, kernel_x, stride_y, stride_x, top, left, rows, columns, fill, depth (a power of two),
// iterations.
template <class config, int SOURCE, int SINK>
void window(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  typedef ap_uint<config::lanes * config::x_t::width> word_t;
  const int total = config::height * config::width * config::words;
  const int part = config::words / config::turns;
  word_t memory[config::depth];
  int written = 0, oy = 0, ox = 0, turn = 0, repeat = 0, ky = 0, kx = 0, word = 0;
  int needed = words_needed<config>(0, 0);
  int wanted = config::columns > 1   ? words_needed<config>(0, 1)
               : config::rows > 1 ? words_needed<config>(1, 0)
                                  : total;
  word_t fill = 0;
fill_lanes:
  for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
    set_lane(fill, lane, typename config::x_t(config::fill));
  }

iterations:
  for (unsigned long i = 0; i < config::iterations; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS DEPENDENCE variable=memory type=inter false
    const bool gives = written >= needed && oy < config::rows;
    const int y = oy * config::stride_y - config::top + ky;
    const int x = ox * config::stride_x - config::left + kx;
    const bool inside = y >= 0 && y < config::height && x >= 0 && x < config::width;
    const int address = (y * config::width + x) * config::words + turn * part + word;
    if (gives) sink.write(inside ? memory[address & (config::depth - 1)] : fill);
    if (written < wanted) {
      memory[written & (config::depth - 1)] = source.read();
      ++written;
    }
    if (!gives) continue;
    if (++word < part) continue;
    word = 0;
    if (++kx < config::kernel_x) continue;
    kx = 0;
    if (++ky < config::kernel_y) continue;
    ky = 0;
    if (++repeat < config::repeats) continue;
    repeat = 0;
    if (++turn < config::turns) continue;
    turn = 0;
    if (++ox == config::columns) {
      ox = 0;
      ++oy;
    }
    const bool ends = ox == config::columns - 1;
    const bool last = ends && oy == config::rows - 1;
    needed = words_needed<config>(oy, ox);
    wanted = last || oy == config::rows ? total
                                        : words_needed<config>(ends ? oy + 1 : oy, ends ? 0 : ox + 1);
  }
}

// Whole windows from a shift register, through which the image runs with its border; lane
// (ky * kernel_x + kx) * lanes + c of a beat. config: types x_t; numbers lanes, height, width,
// kernel_y, kernel_x, stride_y, stride_x, top, left, bottom, right, fill.
template <class config, int SOURCE, int SINK>
void window_parallel(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  const int bits = config::lanes * config::x_t::width;
  const int height = config::height + config::top + config::bottom;
  const int width = config::width + config::left + config::right;
  ap_uint<bits> lines[config::kernel_y][width];
#pragma HLS ARRAY_PARTITION variable=lines type=complete dim=1
  ap_uint<bits> taps[config::kernel_y][config::kernel_x];
#pragma HLS ARRAY_PARTITION variable=taps type=complete
  ap_uint<bits> fill = 0;
fill_lanes:
  for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
    set_lane(fill, lane, typename config::x_t(config::fill));
  }

rows:
  for (int y = 0; y < height; ++y) {
  columns:
    for (int x = 0; x < width; ++x) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      const bool real = y >= config::top && y < config::top + config::height &&
                        x >= config::left && x < config::left + config::width;
      ap_uint<bits> pixel = real ? ap_uint<bits>(source.read()) : fill;
      ap_uint<SINK> word = 0;
    kernel_rows:
      for (int ky = config::kernel_y - 1; ky >= 0; --ky) {
#pragma HLS UNROLL
        const ap_uint<bits> leaves = lines[ky][x];
        lines[ky][x] = pixel;
      kernel_columns:
        for (int kx = 0; kx < config::kernel_x; ++kx) {
#pragma HLS UNROLL
          taps[ky][kx] = kx == config::kernel_x - 1 ? pixel : taps[ky][kx + 1];
          const int place = ky * config::kernel_x + kx;
          word.range((place + 1) * bits - 1, place * bits) = taps[ky][kx];
        }
        pixel = leaves;
      }
      const int above = y - config::kernel_y + 1, before = x - config::kernel_x + 1;
      if (above >= 0 && before >= 0 && above % config::stride_y == 0 &&
          before % config::stride_x == 0)
        sink.write(word);
    }
  }
}

// SPAN words at a time in another order; beat (i, j, k, l) is word i * stride0 + ... + l * stride3.
// config: numbers bits, count0 to count3, stride0 to stride3, span, spans, depth (a power of two).
template <class config, int SOURCE, int SINK>
void reorder(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  const int beats = config::count0 * config::count1 * config::count2 * config::count3;
  const int longest = beats > config::span ? beats : config::span;
  ap_uint<config::bits> memory[config::depth];
  int written = 0;

  int i = 0, j = 0, k = 0, l = 0;

  // Span s is written while span s - 1 is read.
spans:
  for (int span = 0; span <= config::spans; ++span) {
  steps:
    for (int step = 0; step < longest; ++step) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
#pragma HLS DEPENDENCE variable=memory type=inter false
      if (span > 0 && step < beats) {
        const int word = i * config::stride0 + j * config::stride1 + k * config::stride2 +
                         l * config::stride3;
        const int address = (span - 1) * config::span + word;
        sink.write(memory[address & (config::depth - 1)]);
      }
      if (span < config::spans && step < config::span) {
        memory[written & (config::depth - 1)] = source.read();
        ++written;
      }
      if (span == 0 || step >= beats) continue;
      if (++l < config::count3) continue;
      l = 0;
      if (++k < config::count2) continue;
      k = 0;
      if (++j < config::count1) continue;
      j = 0;
      if (++i == config::count0) i = 0;
    }
  }
}

}  // namespace a2q

#endif

// SPDX-License-Identifier: Apache-2.0
// render_film SECONDS SEED WIDTH HEIGHT [night]: writes rendered traffic as a YUV4MPEG2 film to
// standard output and its truth as one line of JSON to standard error. For system tests.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "hal/base/json_writer.hpp"
#include "tests/support/rendered_count.hpp"

int main(int count, char** words) {
  using namespace berm;
  if (count < 5) return 2;
  hal::RenderedScene scene;
  scene.seconds = std::atof(words[1]);
  scene.seed = static_cast<std::uint64_t>(std::atoll(words[2]));
  scene.width = std::atoi(words[3]);
  scene.height = std::atoi(words[4]);
  scene.is_night = count > 5;
  hal::RenderedTraffic film(scene);
  std::printf("YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\n", scene.width, scene.height);
  while (const auto frame = film.next()) {
    const auto luma =
        static_cast<std::size_t>(frame->width) * static_cast<std::size_t>(frame->height);
    const auto chroma = static_cast<std::size_t>(frame->chroma_width()) *
                        static_cast<std::size_t>(frame->chroma_height());
    std::fputs("FRAME\n", stdout);
    std::fwrite(frame->y, 1, luma, stdout);
    std::fwrite(frame->u, 1, chroma, stdout);
    if (std::fwrite(frame->v, 1, chroma, stdout) != chroma) return 1;
  }
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  for (const bool is_toward : {false, true}) {
    const auto lane = tests::rendered_lane(film, is_toward);
    writer.key(lane.name).begin_object();
    writer.key("line").begin_array();
    writer.begin_array().number(lane.line.from.x).number(lane.line.from.y).end_array();
    writer.begin_array().number(lane.line.to.x).number(lane.line.to.y).end_array();
    writer.end_array();
    writer.key("direction").string(is_toward ? "down" : "up");
    writer.key("crossings_s").begin_array();
    for (const auto& vehicle : tests::whole_crossings(film, is_toward)) {
      writer.number(vehicle.crossing_s);
    }
    writer.end_array().end_object();
  }
  writer.end_object();
  std::fprintf(stderr, "%s\n", text.c_str());
  return 0;
}

# SPDX-License-Identifier: Apache-2.0
import unittest

from planted_tree import PlantedTree


class Layers(PlantedTree):
    CHECK = "layers.py"

    def one(self, path, include):
        return {
            path: f"// text\n#include {include}\n",
            "hal/include/hal/loop.hpp": "",
            "hal/sim/loop.hpp": "",
            "hal/linux/loop.hpp": "",
        }

    def test_a_driver_may_not_include_firmware_a_backend_or_another_driver(self):
        for other in (
            "firmware/event/event.hpp",
            "hal/sim/loop.hpp",
            "drivers/miv_feed/options.hpp",
        ):
            path = "drivers/loop_detector/driver.cpp"
            self.assert_fault(
                self.one(path, f'"{other}"'), f"{path}:2: drivers/loop_detector may not include"
            )

    def test_an_arrow_may_be_followed_over_several_rooms(self):
        self.assert_clean(self.one("firmware/uplink/a.cpp", '"drivers/api/alarm.hpp"'))
        self.assert_clean(self.one("firmware/outbox/a.hpp", '"hal/loop.hpp"'))
        self.assert_clean(self.one("drivers/loop_detector/a.cpp", '"drivers/traffic/gate.hpp"'))

    def test_no_arrow_points_back(self):
        self.assert_fault(
            self.one("firmware/event/a.cpp", '"firmware/outbox/outbox.hpp"'),
            "firmware/event/a.cpp:2",
        )
        self.assert_fault(self.one("hal/base/a.cpp", '"hal/loop.hpp"'), "hal/base/a.cpp:2")
        self.assert_fault(
            self.one("firmware/codec/a.cpp", '"firmware/outbox/x.hpp"'), "firmware/codec/a.cpp:2"
        )

    def test_backends_do_not_include_one_another(self):
        self.assert_fault(self.one("hal/linux/a.cpp", '"hal/sim/loop.hpp"'), "hal/linux/a.cpp:2")
        self.assert_fault(self.one("hal/sim/a.cpp", '"hal/linux/loop.hpp"'), "hal/sim/a.cpp:2")

    def test_only_the_agent_names_backends(self):
        self.assert_clean(self.one("firmware/agent/a.cpp", '"hal/linux/loop.hpp"'))
        for room in ("uplink", "control", "shell", "health", "outbox"):
            self.assert_fault(
                self.one(f"firmware/{room}/a.cpp", '"hal/sim/loop.hpp"'), f"firmware/{room}/a.cpp:2"
            )

    def test_a_room_without_arrows_may_include_nothing_but_itself(self):
        self.assert_fault(
            self.one("firmware/cellar/a.cpp", '"hal/base/result.hpp"'), "firmware/cellar/a.cpp:2"
        )

    def test_a_library_stands_in_its_home_and_there_in_no_public_header(self):
        self.assert_clean(self.one("firmware/outbox/a.cpp", "<sqlite3.h>"))
        self.assert_fault(
            self.one("firmware/outbox/a.hpp", "<sqlite3.h>"), "firmware/outbox/a.hpp:2"
        )
        self.assert_fault(
            self.one("firmware/uplink/a.cpp", "<curl/curl.h>"), "firmware/uplink/a.cpp:2"
        )
        self.assert_fault(
            self.one("firmware/agent/a.cpp", "<mosquitto.h>"), "firmware/agent/a.cpp:2"
        )
        self.assert_fault(self.one("hal/base/json.hpp", "<cjson/cJSON.h>"), "hal/base/json.hpp:2")

    def test_tests_and_benches_may_include_anything(self):
        self.assert_clean(self.one("tests/unit/a/a_test.cpp", '"hal/sim/loop.hpp"'))
        self.assert_clean(self.one("bench/a.cpp", "<sqlite3.h>"))


if __name__ == "__main__":
    unittest.main()

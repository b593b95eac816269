-- SPDX-License-Identifier: Apache-2.0
SELECT d.series, u.name, d.ranges FROM undelivered d JOIN uplink u ON u.id = d.uplink

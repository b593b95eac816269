-- SPDX-License-Identifier: Apache-2.0
SELECT max(wall) FROM anchor

-- SPDX-License-Identifier: Apache-2.0
SELECT uplink, series, ranges, resend FROM undelivered

-- SPDX-License-Identifier: Apache-2.0
DELETE FROM undelivered WHERE uplink = ?1 AND series = ?2

#!/bin/sh
# SeaweedFS, the S3 server of the tests and the benchmark: target/tools/seaweedfs/bin/weed.
exec "$(dirname "$0")/python.sh" seaweedfs

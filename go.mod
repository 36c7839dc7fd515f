module github.com/hirempire-emulator/hirempire-emulator

go 1.26

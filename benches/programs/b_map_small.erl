%% maps: matching, reading and updating maps of few keys.
%% repeat: 2
-module(b_map_small).
-export([run/0]).
run() -> #{a := A, b := B, c := C} = loop(3000000, #{a => 1, b => 2, c => 3, name => "x", kind => y}), {A, B, C}.
loop(0, M) -> M;
loop(N, #{a := A, b := B} = M) when N band 1 =:= 0 -> loop(N - 1, M#{a := B + 1, b := A});
loop(N, M) -> X = maps:get(c, M), loop(N - 1, M#{c => (X + N) band 16#FFFF}).

%% Integers that are large only in between: hashes, checksums, generators, modular arithmetic, and what is unusual there.
-module(t_words).
-include("diff.hrl").

-define(M64, 16#FFFFFFFFFFFFFFFF).

edges() ->
    [S * ((1 bsl P) + D) || P <- [0, 1, 15, 16, 30, 31, 32, 33, 59, 60, 61, 63, 64, 65, 70], D <- [-1, 0, 1], S <- [1, -1]].

sum(L) -> {length(L), erlang:md5(term_to_binary(L, [{minor_version, 1}])), lists:sublist(L, 3)}.

odd() -> [0.5, -0.0, a, [], {1}, <<1>>, 1 bsl 200, -(1 bsl 200)].

ones(F) -> sum([cr(fun() -> F(A) end) || A <- edges() ++ odd()]).

pairs(F) ->
    sum([cr(fun() -> F(A, B) end) || A <- edges() ++ odd(), B <- edges()] ++ [cr(fun() -> F(3, B) end) || B <- odd()]).

lcg(X) -> (X * 1103515245 + 12345) band 16#7FFFFFFF.
lcg_rem(X) -> (X * 1103515245 + 12345) rem 2147483648.
lcg_64(X) -> (X * 6364136223846793005 + 1442695040888963407) band ?M64.
minus(X, Y) -> (X * 7 - Y * 5) band 16#FFFF.
fnv(X, H) -> ((H bxor X) * 16#100000001B3) band ?M64.
fnv_32(X, H) -> ((H bxor X) * 16777619) band 16#FFFFFFFF.
xorshift(X0) ->
    X1 = X0 bxor ((X0 bsl 13) band ?M64),
    X2 = X1 bxor (X1 bsr 7),
    X2 bxor ((X2 bsl 17) band ?M64).
splitmix(S, N) ->
    Z0 = (S + 16#9E3779B97F4A7C15) band ?M64,
    Z1 = ((Z0 bxor (Z0 bsr 30)) * 16#BF58476D1CE4E5B9) band ?M64,
    Z2 = ((Z1 bxor (Z1 bsr 27)) * 16#94D049BB133111EB) band ?M64,
    {Z0, N - 1, Z2 bxor (Z2 bsr 31)}.
mul_rem(X, Y) -> (X * Y) rem 1000000007.
mul_rem_by(X, Y) -> (X * 65537) rem Y.
mul_div(X, Y) -> (X * Y) div 1000.
mul_div_by(X, Y) -> (X * 16#FFFFFFFF) div Y.
mul_bsr(X, Y) -> (X * Y) bsr 32.
masked_twice(X, Y) -> A = (X * Y) band 16#FFFFFFFF, {A, (A * A) band 16#FFF}.
by_variable(X, Y) -> (X * 31) band Y.
by_two(X, Y) -> (X bsl 8) bor (Y band 255).
into_byte(X, Y) -> ((X bsl 8) bor (Y band 255)) band 16#FFFFFF.
or_rem(X, Y) -> ((X * 3) bor Y) rem 97.
xor_rem(X, Y) -> ((X bsl 3) bxor Y) rem 97.
sub_rem(X, Y) -> (X * 2 - Y) rem 97.
kept(X, Y) -> P = X * Y, {P, P band 255, P rem 10}.
rotate(X) -> ((X bsl 13) bor (X bsr 19)) band 16#FFFFFFFF.
rotate_64(X) -> ((X bsl 13) bor (X bsr 51)) band ?M64.
mask_only(X) -> X band ?M64.
mask_65(X) -> (X * 3) band 16#1FFFFFFFFFFFFFFFF.
negative_mask(X) -> (X * 3) band -256.
by_zero(X) -> (X * 3) rem zero(X).
zero(_) -> 0.
shifts(X) -> {(X bsl 63) band ?M64, (X bsl 64) band ?M64, ((X * 3) band ?M64) bsr 63, ((X * 3) band ?M64) bsr 64}.

%% Loops, so that the kinds of arguments are guessed.
lcg_loop(0, X) -> X;
lcg_loop(N, X) -> lcg_loop(N - 1, (X * 1103515245 + 12345) band 16#7FFFFFFF).

lcg_list(0, _) -> [];
lcg_list(N, X) -> Y = (X * 16807) rem 2147483647, [Y band 15 | lcg_list(N - 1, Y)].

fnv_bytes(<<B, R/binary>>, H) -> fnv_bytes(R, fnv(B, H));
fnv_bytes(<<>>, H) -> H.

adler(<<X, R/binary>>, A, B) -> A1 = (A + X) rem 65521, adler(R, A1, (B + A1) rem 65521);
adler(<<>>, A, B) -> (B bsl 16) bor A.

pow(_, 0, _, A) -> A;
pow(B, E, M, A) when E band 1 =:= 1 -> pow((B * B) rem M, E bsr 1, M, (A * B) rem M);
pow(B, E, M, A) -> pow((B * B) rem M, E bsr 1, M, A).

splitmix_loop(0, _, A) -> A;
splitmix_loop(N, S, A) -> {Z, M, X} = splitmix(S, N), splitmix_loop(M, Z, A bxor X).

%% What fails names the right place, whatever else is done around it.
failing(X, Y) ->
    A = (X * 7) band 255,
    B = Y - 1,
    (A * B) band 16#FFFF.

cases() ->
    [{lcg, fun() -> ones(fun lcg/1) end},
     {lcg_rem, fun() -> ones(fun lcg_rem/1) end},
     {lcg_64, fun() -> ones(fun lcg_64/1) end},
     {xorshift, fun() -> ones(fun xorshift/1) end},
     {rotate, fun() -> ones(fun rotate/1) end},
     {rotate_64, fun() -> ones(fun rotate_64/1) end},
     {mask_only, fun() -> ones(fun mask_only/1) end},
     {mask_65, fun() -> ones(fun mask_65/1) end},
     {negative_mask, fun() -> ones(fun negative_mask/1) end},
     {by_zero, fun() -> ones(fun by_zero/1) end},
     {shifts, fun() -> ones(fun shifts/1) end},
     {minus, fun() -> pairs(fun minus/2) end},
     {fnv, fun() -> pairs(fun fnv/2) end},
     {fnv_32, fun() -> pairs(fun fnv_32/2) end},
     {splitmix, fun() -> pairs(fun splitmix/2) end},
     {mul_rem, fun() -> pairs(fun mul_rem/2) end},
     {mul_rem_by, fun() -> pairs(fun mul_rem_by/2) end},
     {mul_div, fun() -> pairs(fun mul_div/2) end},
     {mul_div_by, fun() -> pairs(fun mul_div_by/2) end},
     {mul_bsr, fun() -> pairs(fun mul_bsr/2) end},
     {masked_twice, fun() -> pairs(fun masked_twice/2) end},
     {by_variable, fun() -> pairs(fun by_variable/2) end},
     {by_two, fun() -> pairs(fun by_two/2) end},
     {into_byte, fun() -> pairs(fun into_byte/2) end},
     {or_rem, fun() -> pairs(fun or_rem/2) end},
     {xor_rem, fun() -> pairs(fun xor_rem/2) end},
     {sub_rem, fun() -> pairs(fun sub_rem/2) end},
     {kept, fun() -> pairs(fun kept/2) end},
     {loops, fun() ->
                     {lcg_loop(1000, 42), lcg_loop(100, 1 bsl 80), lcg_loop(100, -5), erlang:md5(lcg_list(200, 42))}
             end},
     {bytes, fun() ->
                     Text = binary:copy(<<"hashes of bytes">>, 50),
                     {fnv_bytes(Text, 16#CBF29CE484222325), adler(Text, 1, 0)}
             end},
     {splitmix_loop, fun() -> {splitmix_loop(300, 1, 0), splitmix_loop(300, -1, 0)} end},
     {pow, fun() -> [pow(B, 65537, M, 1) || B <- [2, 3, 1 bsl 40, -7], M <- [97, 1000000007, (1 bsl 61) - 1]] end},
     {fails, fun() -> [c(fun() -> failing(X, Y) end) || X <- [1, a, 1.0, 1 bsl 90], Y <- [2, b, 2.5]] end},
     {fails_in_loop, fun() -> [c(fun() -> lcg_loop(3, X) end) || X <- [a, 1.5, <<>>]] end}].

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {OwnedModule} from "./base/PausableModule.sol";
import {JobRegistry} from "./JobRegistry.sol";
import {StakeManager} from "./StakeManager.sol";

/// Commit and reveal votes of staked validators on a submitted job. The reveal opens when the committee is full.
contract ValidationModule is OwnedModule {
    struct Round {
        bool open;
        uint64 revealDeadline;
        address[] committed;
        address[] approved;
        uint256 revealed;
    }

    JobRegistry public immutable jobRegistry;
    StakeManager public immutable stakeManager;

    uint256 public committeeSize;
    uint256 public minValidatorStake;
    uint256 public revealWindow;
    mapping(uint256 => Round) private _rounds;
    mapping(uint256 => mapping(address => bytes32)) public commits;
    mapping(uint256 => mapping(address => bool)) public revealedBy;

    event RoundStarted(uint256 indexed jobId);
    event VoteCommitted(uint256 indexed jobId, address indexed validator, bytes32 commitHash);
    event VoteRevealed(uint256 indexed jobId, address indexed validator, bool approve);
    event RoundFinalized(uint256 indexed jobId, bool approved, uint256 approvals, uint256 reveals);
    event ParameterUpdated(string name, uint256 value);

    error NotJobRegistry(address caller);
    error RoundNotOpen(uint256 jobId);
    error CommitteeFull(uint256 jobId);
    error CommitteeIncomplete(uint256 jobId, uint256 commits);
    error ValidatorNotStaked(uint256 stake, uint256 wanted);
    error AlreadyVoted(address validator);
    error CommitMismatch(address validator);
    error RevealsMissing(uint256 jobId, uint256 reveals);

    constructor(
        address owner_,
        JobRegistry jobRegistry_,
        StakeManager stakeManager_,
        uint256 committeeSize_,
        uint256 minValidatorStake_,
        uint256 revealWindow_
    ) OwnedModule(owner_) {
        jobRegistry = jobRegistry_;
        stakeManager = stakeManager_;
        committeeSize = committeeSize_;
        minValidatorStake = minValidatorStake_;
        revealWindow = revealWindow_;
    }

    function start(uint256 jobId) external whenNotPaused {
        if (msg.sender != address(jobRegistry)) revert NotJobRegistry(msg.sender);
        _rounds[jobId].open = true;
        emit RoundStarted(jobId);
    }

    function commitVote(uint256 jobId, bytes32 commitHash) external whenNotPaused {
        Round storage round = _openRound(jobId);
        if (round.committed.length >= committeeSize) revert CommitteeFull(jobId);
        if (commits[jobId][msg.sender] != 0 || commitHash == 0) revert AlreadyVoted(msg.sender);
        uint256 stake = stakeManager.stakeOf(msg.sender, StakeManager.Role.Validator);
        if (stake < minValidatorStake) revert ValidatorNotStaked(stake, minValidatorStake);
        commits[jobId][msg.sender] = commitHash;
        round.committed.push(msg.sender);
        if (round.committed.length == committeeSize) round.revealDeadline = uint64(block.timestamp + revealWindow);
        emit VoteCommitted(jobId, msg.sender, commitHash);
    }

    function revealVote(uint256 jobId, bool approve, bytes32 salt) external whenNotPaused {
        Round storage round = _openRound(jobId);
        if (round.committed.length < committeeSize) revert CommitteeIncomplete(jobId, round.committed.length);
        if (revealedBy[jobId][msg.sender]) revert AlreadyVoted(msg.sender);
        if (commits[jobId][msg.sender] != keccak256(abi.encode(jobId, msg.sender, approve, salt))) {
            revert CommitMismatch(msg.sender);
        }
        revealedBy[jobId][msg.sender] = true;
        round.revealed += 1;
        if (approve) round.approved.push(msg.sender);
        emit VoteRevealed(jobId, msg.sender, approve);
    }

    /// Tells the registry the verdict, once all have revealed or the window has passed. A tie rejects.
    function finalize(uint256 jobId) external whenNotPaused {
        Round storage round = _openRound(jobId);
        bool late = round.revealDeadline != 0 && block.timestamp > round.revealDeadline;
        if (round.revealed < committeeSize && !late) revert RevealsMissing(jobId, round.revealed);
        round.open = false;
        bool approved = round.approved.length * 2 > round.revealed;
        emit RoundFinalized(jobId, approved, round.approved.length, round.revealed);
        jobRegistry.judge(jobId, approved);
    }

    function approvers(uint256 jobId) external view returns (address[] memory) {
        return _rounds[jobId].approved;
    }

    function setCommitteeSize(uint256 value) external onlyOwner {
        committeeSize = value;
        emit ParameterUpdated("committeeSize", value);
    }

    function setMinValidatorStake(uint256 value) external onlyOwner {
        minValidatorStake = value;
        emit ParameterUpdated("minValidatorStake", value);
    }

    function setRevealWindow(uint256 value) external onlyOwner {
        revealWindow = value;
        emit ParameterUpdated("revealWindow", value);
    }

    function _openRound(uint256 jobId) private view returns (Round storage round) {
        round = _rounds[jobId];
        if (!round.open) revert RoundNotOpen(jobId);
    }
}
